#include "proxy/ops/http_server.hpp"

#include <exception>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace proxy::ops {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using response = http::response<http::string_body>;
using request = http::request<http::string_body>;

constexpr auto accept_pause = std::chrono::milliseconds{100};  // when file descriptors have run out

response make_response(http::status status, std::string body,
                       std::string_view type = "text/plain; charset=utf-8") {
  response answer(status, 11);
  answer.set(http::field::content_type, beast::string_view(type.data(), type.size()));
  answer.set(http::field::cache_control, "no-store");
  answer.body() = std::move(body);
  return answer;
}

response page(const http_pages& pages, std::string_view path) {
  if (path == "/metrics") {
    return make_response(http::status::ok, pages.metrics(), "text/plain; version=0.0.4; charset=utf-8");
  }
  if (path == "/healthz") return make_response(http::status::ok, "ok\n");
  if (path == "/readyz") {
    auto state = pages.ready();
    return make_response(state.ready ? http::status::ok : http::status::service_unavailable,
                         std::move(state.text));
  }
  return make_response(http::status::not_found, "not found; there are /metrics, /healthz and /readyz\n");
}

response answer_to(const http_pages& pages, const request& asked) {
  const std::string_view target(asked.target().data(), asked.target().size());
  const auto path = target.substr(0, target.find('?'));
  response answer = page(pages, path);
  if (answer.result() == http::status::not_found) return answer;
  if (asked.method() != http::verb::get && asked.method() != http::verb::head) {
    answer = make_response(http::status::method_not_allowed, "only GET and HEAD are possible\n");
    answer.set(http::field::allow, "GET, HEAD");
  }
  return answer;
}

// What a request that was not read to its end is told. Nothing for a peer that is gone or too slow.
std::optional<http::status> status_of(const beast::error_code& error) {
  if (error == http::error::body_limit) return http::status::payload_too_large;
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return http::status::request_header_fields_too_large;
  }
  if (error == http::error::end_of_stream || error == http::error::partial_message) return std::nullopt;
  if (error.category() == http::make_error_code(http::error::bad_target).category())
    return http::status::bad_request;
  return std::nullopt;
}

// One connection: read, answer, again until it is closed. Lives as long as an operation is pending.
class connection : public std::enable_shared_from_this<connection> {
 public:
  connection(tcp::socket socket, const http_pages& pages, const http_limits& limits, std::uint32_t& open)
      : stream_(std::move(socket)),
        buffer_(limits.header_bytes + limits.body_bytes),
        pages_(pages),
        limits_(limits),
        open_(open) {
    ++open_;
  }
  ~connection() { --open_; }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  void read() {
    parser_.emplace();
    parser_->header_limit(limits_.header_bytes);
    parser_->body_limit(limits_.body_bytes);
    stream_.expires_after(limits_.request);  // for the whole request, not for each byte
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](beast::error_code error, std::size_t) { self->on_read(error); });
  }

 private:
  void on_read(beast::error_code error) {
    if (error) {
      const auto status = status_of(error);
      if (status)
        write(make_response(*status, std::string(http::obsolete_reason(*status)) + "\n"), false, false);
      return;
    }
    const bool head = parser_->get().method() == http::verb::head;
    const bool keep = parser_->get().keep_alive();
    try {
      write(answer_to(pages_, parser_->get()), head, keep);
    } catch (const std::exception&) {
      write(make_response(http::status::internal_server_error, "the page could not be written\n"), head,
            false);
    }
  }

  void write(response answer, bool head, bool keep) {
    answer_ = std::move(answer);
    answer_.keep_alive(keep);
    answer_.prepare_payload();
    if (head) answer_.body().clear();  // Content-Length stays that of a GET
    stream_.expires_after(limits_.response);
    http::async_write(stream_, answer_,
                      [self = shared_from_this(), keep](beast::error_code error, std::size_t) {
                        if (error) return;
                        if (keep) return self->read();
                        self->stream_.socket().shutdown(tcp::socket::shutdown_send, error);
                      });
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  response answer_;
  const http_pages& pages_;
  const http_limits& limits_;
  std::uint32_t& open_;
};

}  // namespace

struct http_server::state {
  state(const metrics_settings& settings, http_pages p, http_limits l)
      : pages(std::move(p)), limits(l), acceptor(context), pause(context) {
    listen(settings);
    accept();
    thread = std::thread([this] { context.run(); });
  }

  ~state() {
    context.stop();
    if (thread.joinable()) thread.join();
  }

  state(const state&) = delete;
  state& operator=(const state&) = delete;

  void listen(const metrics_settings& settings) {
    const std::string place =
        "metrics address " + settings.address + " port " + std::to_string(settings.port);
    const auto check = [&place](const beast::error_code& error) {
      if (error) throw std::system_error(error.value(), std::generic_category(), place);
    };
    beast::error_code error;
    const tcp::endpoint endpoint(asio::ip::make_address(settings.address, error), settings.port);
    check(error);
    acceptor.open(endpoint.protocol(), error);
    check(error);
    acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    acceptor.bind(endpoint, error);
    check(error);
    acceptor.listen(tcp::acceptor::max_listen_connections, error);
    check(error);
    port = acceptor.local_endpoint().port();
  }

  void accept() {
    acceptor.async_accept([this](beast::error_code error, tcp::socket socket) {
      if (error) return accept_later();
      if (open < limits.connections)
        std::make_shared<connection>(std::move(socket), pages, limits, open)->read();
      accept();
    });
  }

  void accept_later() {
    pause.expires_after(accept_pause);
    pause.async_wait([this](beast::error_code error) {
      if (!error) accept();
    });
  }

  const http_pages pages;
  const http_limits limits;
  std::uint32_t open = 0;  // before the context: its pending handlers end connections
  std::uint16_t port = 0;
  asio::io_context context{1};
  tcp::acceptor acceptor;
  asio::steady_timer pause;
  std::thread thread;
};

http_server::http_server(const metrics_settings& settings, http_pages pages, http_limits limits)
    : state_(std::make_unique<state>(settings, std::move(pages), limits)) {}

http_server::~http_server() = default;

std::uint16_t http_server::port() const noexcept {
  return state_->port;
}

}  // namespace proxy::ops
