// How encryption is asked for and answered, and what TLS that ends here means for SCRAM's channel binding.
#include <vector>

#include "protocol/backend.hpp"
#include "protocol/frontend.hpp"
#include "proxy/session/session.hpp"

namespace proxy::session {
namespace {

namespace backend = protocol::backend;

constexpr std::string_view binding_suffix = "-PLUS";

}  // namespace

/// True: there may be more to read. GSSAPI encryption is never offered; after TLS nothing is.
bool session::answer_encryption_request(const protocol::startup_packet& packet, outbox& out) {
  const bool tls = packet.kind == protocol::startup_kind::ssl_request;
  bool& asked = tls ? tls_asked_ : gss_asked_;
  if (asked || secured_) {
    end_with("08P01", "encryption was requested twice", "", out);
    return false;
  }
  asked = true;
  startup_.erase(0, packet.wire.size());
  if (!tls || tls_ == tls_policy::disable) {
    out.to_client.append("N");
    return true;
  }
  out.to_client.append("S");
  out.request = request_kind::secure_client;
  securing_ = true;
  // "[…] any unencrypted data that has arrived in its buffer" must not be taken as sent under TLS
  // (CVE-2021-23214).
  if (!startup_.empty()) end("unencrypted data after SSLRequest", out);
  return false;
}

void session::on_client_secured() noexcept {
  securing_ = false;
  secured_ = true;
}

refusal session::without_tls() {
  return {.sqlstate = "28000",
          .message = "pgteller accepts connections with TLS only",
          .detail = R"(listen.tls_mode of pgteller is "require".)",
          .hint = "Connect with sslmode=require or a stronger one.",
          .rule = {},
          .schema = {},
          .table = {},
          .column = {}};
}

refusal session::without_binding() {
  return {.sqlstate = "28000",
          .message = "SCRAM channel binding cannot pass through pgteller",
          .detail =
              "The client supports channel binding and PostgreSQL offers it, but TLS ends in pgteller, "
              "whose certificate is not PostgreSQL's.",
          .hint =
              "Give pgteller the certificate and key of PostgreSQL, or connect with "
              "channel_binding=disable, or set upstream.sslmode = \"disable\".",
          .rule = {},
          .schema = {},
          .table = {},
          .column = {}};
}

/// True: an AuthenticationSASL that offered channel binding has been dealt with.
bool session::take_binding_out(const frame_view& from, outbox& out) {
  if (from.tag != protocol::backend_tag::authentication) return false;
  const auto request = backend::decode_authentication(from.body);
  if (!request || request->kind != backend::authentication_kind::sasl) return false;
  const auto offered = request->mechanisms();
  if (!offered) return false;
  std::vector<std::string_view> left;
  std::size_t count = 0;
  for (const std::string_view each : *offered) {
    ++count;
    if (!each.ends_with(binding_suffix)) left.push_back(each);
  }
  if (left.size() == count) return false;
  std::string offer;
  if (left.empty() || !backend::encode_authentication_sasl(left, offer)) {
    end_with(without_binding(), out);
    return true;
  }
  out.to_client.append(offer);
  binding_taken_out_ = true;
  return true;
}

/// Whether the client's first answer says "y": "the client does support channel binding but thinks the server
/// does not" (RFC 5802, section 7). A server that does must refuse that, and the proof that follows covers
/// it, so that it cannot be changed on the way.
bool session::expects_binding(const frame_view& from) {
  binding_taken_out_ = false;
  if (from.tag != protocol::frontend_tag::password) return false;
  const auto initial = protocol::frontend::decode_sasl_initial(from.body);
  return initial && initial->response && initial->response->starts_with('y');
}

}  // namespace proxy::session
