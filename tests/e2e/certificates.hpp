// Certificates made for the time of a test, by OpenSSL in this process: an authority and what it has signed.
// Knows nothing of who uses them.
#pragma once

#include <memory>
#include <string>

#include <openssl/evp.h>
#include <openssl/x509.h>

namespace e2e {

class authority {
 public:
  explicit authority(const std::string& name);

  /// The authority's own certificate, in PEM.
  [[nodiscard]] std::string certificate() const;

  struct issued {
    std::string certificate;  // PEM
    std::string key;          // PEM
  };
  /// `names` in OpenSSL's form: "DNS:localhost,IP:127.0.0.1".
  [[nodiscard]] issued issue(const std::string& common_name, const std::string& names) const;

 private:
  std::shared_ptr<EVP_PKEY> key_;
  std::shared_ptr<X509> certificate_;
};

/// A key file as PostgreSQL and pgteller want it: for its owner alone.
void write_key(const std::string& path, const std::string& pem);

}  // namespace e2e
