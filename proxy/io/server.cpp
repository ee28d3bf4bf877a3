#include "proxy/io/server.hpp"

#include <algorithm>
#include <csignal>
#include <mutex>
#include <thread>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <sys/resource.h>

#include "proxy/io/connection.hpp"
#include "proxy/io/worker.hpp"
#include "proxy/ops/catalog_source.hpp"
#include "proxy/ops/http_server.hpp"
#include "proxy/session/limits.hpp"

namespace proxy::io {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

constexpr char shutdown_reason[] = "terminating connection: pgteller is shutting down";

/// Two sockets a client: as many descriptors as the system allows.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  static_cast<void>(setrlimit(RLIMIT_NOFILE, &limit));
}

std::vector<ops::turn_count> turns_of(const session::turn_table& turns) {
  std::vector<ops::turn_count> counts;
  for (auto& each : turns.count()) counts.push_back({std::move(each.rule), each.active, each.waiting});
  return counts;
}

std::vector<ops::catalog_age> ages_of(const ops::catalog_source& catalogs) {
  std::vector<ops::catalog_age> ages;
  for (const auto& each : catalogs.report()) {
    if (each.known) ages.push_back({each.database, each.age_seconds});
  }
  return ages;
}

ops::readiness readiness_of(const ops::catalog_source& catalogs) {
  ops::readiness result{true, ""};
  for (const auto& each : catalogs.report()) {
    const bool good = each.known || each.missing;
    result.ready = result.ready && good;
    result.text += "database " + each.database + ": " + (each.known ? "catalog known" : "catalog unknown");
    if (!each.last_error.empty()) result.text += " (" + each.last_error + ")";
    result.text += "\n";
  }
  if (result.text.empty()) result.text = "no guarded database has been asked for yet\n";
  return result;
}

/// Whether `next` has a rule that `now` has not: statements prepared under `now` may have passed it unseen.
bool adds_rules(const rules::rule_set& now, const rules::rule_set& next) {
  return std::any_of(next.rules.begin(), next.rules.end(), [&](const rules::rule& rule) {
    return std::find(now.rules.begin(), now.rules.end(), rule) == now.rules.end();
  });
}

class server {
 public:
  server(const ops::settings& settings, const std::string& config_path)
      : settings_(settings),
        config_path_(config_path),
        log_(settings.log),
        catalogs_(settings.upstream, settings.catalog, settings.rules, [this] { books_changed(); }),
        books_(catalogs_, settings.log.values),
        services_{settings_, catalogs_, books_, metrics_, log_, loop_} {
    metrics_.know_rules(settings.rules);
    metrics_.watch_catalog([this] { return ages_of(catalogs_); });
    metrics_.watch_turns([this] { return turns_of(services_.rows.turns); });
    std::uint32_t threads = settings.listen.threads;
    if (threads == 0) threads = std::max(1U, std::thread::hardware_concurrency());
    const std::lock_guard guard(workers_lock_);
    for (std::uint32_t i = 0; i < threads; ++i) workers_.push_back(std::make_unique<worker>(services_));
  }

  ~server() {
    // The catalog's thread may still report a change; the workers go before what they refer to.
    const std::lock_guard guard(workers_lock_);
    workers_.clear();
  }
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  int run() {
    if (!listen()) return 1;
    for (const auto& each : workers_) each->start();
    accept();
    await_signal();
    loop_.run();
    for (const auto& each : workers_) each->finish();
    for (const auto& each : workers_) each->join();
    log_.event(ops::log_level::info, "stopped");
    return 0;
  }

 private:
  bool listen() {
    if (const std::string problem = services_.tls.load(settings_); !problem.empty()) {
      log_.event(ops::log_level::error, "cannot serve", {{"problem", problem}});
      return false;
    }
    try {
      const tcp::endpoint at(asio::ip::make_address(settings_.listen.address), settings_.listen.port);
      acceptor_.open(at.protocol());
      acceptor_.set_option(tcp::acceptor::reuse_address(true));
      acceptor_.bind(at);
      acceptor_.listen(4096);
      http_ = std::make_unique<ops::http_server>(
          settings_.metrics,
          ops::http_pages{[this] { return metrics_.render(); }, [this] { return readiness_of(catalogs_); }});
    } catch (const std::exception& failure) {
      log_.event(ops::log_level::error, "cannot listen", {{"reason", failure.what()}});
      return false;
    }
    log_.event(ops::log_level::info, "serving",
               {{"address", settings_.listen.address},
                {"port", acceptor_.local_endpoint().port()},
                {"metrics_port", http_->port()},
                {"upstream", settings_.upstream.host + ":" + std::to_string(settings_.upstream.port)},
                {"rules", settings_.rules.rules.size()},
                {"threads", workers_.size()}});
    return true;
  }

  void accept() {
    worker& next = *workers_[next_worker_++ % workers_.size()];
    acceptor_.async_accept([this, &next](error_code error, tcp::socket client) {
      if (error == asio::error::operation_aborted || draining_) return;
      if (error) return accept_later(error);
      admit(next, client);
      accept();
    });
  }

  /// Out of descriptors, most likely: a connection that ends frees some.
  void accept_later(error_code error) {
    log_.event(ops::log_level::warn, "cannot accept", {{"reason", error.message()}});
    accept_timer_.expires_after(100ms);
    accept_timer_.async_wait([this](error_code cancelled) {
      if (!cancelled) accept();
    });
  }

  void admit(worker& home, tcp::socket& client) {
    const std::uint32_t before = services_.clients.fetch_add(1);
    const std::uint32_t most = settings_.listen.max_connections;
    if (before >= most + session::limits::refused_clients) {
      services_.clients.fetch_sub(1);
      return;  // closes it
    }
    error_code failed;
    const int socket = client.release(failed);
    if (failed) {
      services_.clients.fetch_sub(1);
      return;
    }
    home.adopt(peer(socket), before >= most);
  }

  void await_signal() {
    signals_.async_wait([this](error_code error, int signal) {
      if (error || stopping_) return;
      if (signal == SIGHUP) {
        reload();
      } else if (!draining_) {
        drain();
      } else {
        end_grace();
      }
      if (!stopping_) await_signal();
    });
  }

  void reload() {
    ops::load_result loaded = ops::load_settings(config_path_);
    for (const auto& problem : loaded.problems) {
      log_.event(ops::log_level::error, "configuration not reloaded", {{"problem", ops::to_text(problem)}});
    }
    if (loaded.problems.empty()) {
      // Between looking at the files and this, they may have changed again.
      if (const std::string problem = services_.tls.load(loaded.value); !problem.empty()) {
        log_.event(ops::log_level::error, "configuration not reloaded", {{"problem", problem}});
        return metrics_.reload(false);
      }
    }
    metrics_.reload(loaded.problems.empty());
    if (!loaded.problems.empty()) return;
    log_.set_level(loaded.value.log.level);
    metrics_.know_rules(loaded.value.rules);
    const bool new_guards = adds_rules(*books_.rules(), loaded.value.rules);
    books_.set_rules(loaded.value.rules, loaded.value.log.values);
    if (new_guards) {
      for (const auto& each : workers_) each->for_each([](connection& one) { one.leave_if_concerned(); });
    }
    log_.event(ops::log_level::info, "configuration reloaded", {{"rules", loaded.value.rules.rules.size()}});
  }

  void drain() {
    draining_ = true;
    log_.event(ops::log_level::info, "draining", {{"grace_ms", settings_.listen.shutdown_grace.count()}});
    error_code ignored;
    acceptor_.close(ignored);
    accept_timer_.cancel();
    for (const auto& each : workers_) each->for_each([](connection& one) { one.drain(); });
    grace_.expires_after(settings_.listen.shutdown_grace);
    grace_.async_wait([this](error_code error) {
      if (!error) end_grace();
    });
    await_empty();
  }

  void end_grace() {
    for (const auto& each : workers_) each->for_each([](connection& one) { one.terminate(shutdown_reason); });
  }

  void await_empty() {
    if (services_.clients.load() == 0) {
      // A signal that has already been taken from the set must not be waited for again: the loop would not
      // end.
      stopping_ = true;
      signals_.cancel();
      grace_.cancel();
      return;
    }
    empty_poll_.expires_after(10ms);
    empty_poll_.async_wait([this](error_code error) {
      if (!error) await_empty();
    });
  }

  /// Called on the catalog's thread, possibly before the workers exist.
  void books_changed() {
    const std::lock_guard guard(workers_lock_);
    for (const auto& each : workers_) each->books_changed();
  }

  const ops::settings& settings_;
  const std::string& config_path_;
  asio::io_context loop_{1};
  ops::event_log log_;
  ops::metrics metrics_;
  std::mutex workers_lock_;  // the vector, against the catalog's thread
  std::vector<std::unique_ptr<worker>> workers_;
  ops::catalog_source catalogs_;
  ops::books books_;
  shared_services services_;
  std::unique_ptr<ops::http_server> http_;
  tcp::acceptor acceptor_{loop_};
  asio::signal_set signals_{loop_, SIGTERM, SIGINT, SIGHUP};
  asio::steady_timer accept_timer_{loop_};
  asio::steady_timer grace_{loop_};
  asio::steady_timer empty_poll_{loop_};
  std::size_t next_worker_ = 0;
  bool draining_ = false;
  bool stopping_ = false;  // nobody is connected any more
};

}  // namespace

int serve(const ops::settings& settings, const std::string& config_path) {
  raise_descriptor_limit();
  std::signal(SIGPIPE, SIG_IGN);
  server running(settings, config_path);
  return running.run();
}

}  // namespace proxy::io
