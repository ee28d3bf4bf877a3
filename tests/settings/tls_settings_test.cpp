// What is wrong with TLS settings is said at the key, before anybody connects.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include "proxy/ops/tls_context.hpp"
#include "tests/settings/shown_problems.hpp"

namespace proxy::ops {
namespace {

class tls_settings : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "pgteller-tls.XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    place_ = name;
    write_pair("a");
    write_pair("b");
    std::ofstream(file("text")) << "no certificate\n";
    chmod(file("text").c_str(), 0600);
  }
  void TearDown() override { std::filesystem::remove_all(place_); }

  [[nodiscard]] std::string file(const std::string& name) const { return place_ + "/" + name; }

  /// With the directory's name taken out.
  [[nodiscard]] std::string problems(const std::string& crt, const std::string& key) const {
    std::string text = problems_of("[listen]\ntls_cert_file = \"" + file(crt) + "\"\ntls_key_file = \"" +
                                   file(key) + "\"\n");
    for (std::size_t at = text.find(place_); at != std::string::npos; at = text.find(place_)) {
      text.erase(at, place_.size() + 1);
    }
    return text;
  }

 private:
  void write_pair(const std::string& name) const {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> made(X509_new(), &X509_free);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
    X509_set_pubkey(made.get(), key.get());
    X509_sign(made.get(), key.get(), EVP_sha256());
    std::FILE* out = std::fopen(file(name + ".crt").c_str(), "w");
    PEM_write_X509(out, made.get());
    std::fclose(out);
    out = std::fopen(file(name + ".key").c_str(), "w");
    PEM_write_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(out);
    chmod(file(name + ".key").c_str(), 0600);
  }

  std::string place_;
};

TEST_F(tls_settings, good_files) {
  EXPECT_EQ(problems("a.crt", "a.key"), "");
  EXPECT_EQ(problems_of("[upstream]\nsslmode = 'verify-full'\nsslrootcert = '" + file("a.crt") + "'\n"), "");
  EXPECT_EQ(problems_of("[upstream]\nsslmode = 'require'\n"), "");
}

TEST_F(tls_settings, files_that_cannot_be_used) {
  EXPECT_EQ(problems("no.crt", "a.key"),
            "f:2:17: tls_cert_file: \"no.crt\" cannot be read: No such file or directory\n");
  EXPECT_EQ(problems("a.crt", "no.key"),
            "f:3:16: tls_key_file: \"no.key\" cannot be read: No such file or directory\n");
  EXPECT_EQ(problems("a.crt", "b.key"),
            "f:3:16: tls_key_file: \"b.key\" is not the key of the certificate in tls_cert_file\n");
  EXPECT_EQ(problems("text", "a.key"),
            "f:2:17: tls_cert_file: \"text\" holds no usable certificate in PEM form: no start line\n");
  EXPECT_NE(problems("a.crt", "text").find("holds no usable key in PEM form without a passphrase"),
            std::string::npos);
  chmod(file("a.key").c_str(), 0644);
  EXPECT_EQ(problems("a.crt", "a.key"),
            "f:3:16: tls_key_file: \"a.key\" can be read by others; give it mode 0600, or 0640 if it belongs "
            "to root\n");
}

TEST_F(tls_settings, keys_that_do_not_go_together) {
  EXPECT_EQ(problems_of("[listen]\ntls_cert_file = 'c'\n"),
            "f:2:17: tls_cert_file needs tls_key_file beside it\n");
  EXPECT_EQ(problems_of("[listen]\ntls_key_file = 'k'\n"),
            "f:2:16: tls_key_file needs tls_cert_file beside it\n");
  EXPECT_EQ(problems_of("[listen]\ntls_mode = 'require'\n"),
            "f:2:12: tls_mode = \"require\" needs tls_cert_file and tls_key_file\n");
  EXPECT_EQ(problems_of("[upstream]\nsslmode = 'verify-ca'\n"),
            "f:2:11: sslmode = \"verify-ca\" needs sslrootcert: the certificates that are trusted\n");
  EXPECT_EQ(
      problems_of("[upstream]\nsslrootcert = 'ca'\n"),
      "f:2:15: sslrootcert is of no use with sslmode = \"prefer\"; write \"verify-full\", or leave it out\n");
  EXPECT_EQ(problems_of("[upstream]\nhost = '/run/postgresql'\nsslmode = 'require'\n"),
            "f:3:11: sslmode = \"require\" has no meaning for a Unix socket; write \"disable\"\n");
  EXPECT_EQ(problems_of("[upstream]\nsslmode = 'verify-full'\nsslrootcert = '/no/such/file'\n"),
            "f:3:15: sslrootcert: \"/no/such/file\" cannot be read: No such file or directory\n");
}

}  // namespace
}  // namespace proxy::ops
