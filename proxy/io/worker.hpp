// One thread of the data path: an event loop, the connections that live on it, and what they share without
// locks. Connections never change their thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <thread>
#include <unordered_set>
#include <vector>

#include "proxy/io/cancel_registry.hpp"
#include "proxy/io/dialer.hpp"
#include "proxy/io/event_loop.hpp"
#include "proxy/io/session_registry.hpp"
#include "proxy/io/tls_setup.hpp"
#include "proxy/ops/books.hpp"
#include "proxy/ops/log.hpp"
#include "proxy/ops/metrics.hpp"
#include "proxy/ops/settings.hpp"
#include "proxy/session/neighbourhood.hpp"

namespace proxy::io {

/// What all threads share; everything in it is thread-safe or constant.
struct shared_services {
  const ops::settings& settings;
  ops::catalog_source& catalogs;
  ops::books& books;
  ops::metrics& metrics;
  ops::event_log& log;
  boost::asio::io_context& resolving;  // looks host names up
  tls_setups tls{};
  cancel_registry cancels{};
  session_registry sessions{};
  session::neighbourhood rows{};
  std::atomic<std::uint32_t> clients{0};
};

class worker {
 public:
  explicit worker(shared_services& services);
  ~worker();
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  void start();
  /// Lets the loop end once no connection is left.
  void finish();
  void join();

  [[nodiscard]] event_loop& loop() noexcept { return loop_; }

  /// From any thread: takes a client that has just been accepted.
  void adopt(peer client, bool over_limit);
  /// From any thread: runs `what` on this thread for every connection.
  void for_each(std::function<void(connection&)> what);
  /// From any thread: catalogs or rules have changed.
  void books_changed();

  // For connections, on this thread.
  [[nodiscard]] shared_services& services() noexcept { return services_; }
  [[nodiscard]] session::plan_cache& plans() noexcept { return plans_; }
  [[nodiscard]] ops::thread_tally& tally() noexcept { return tally_; }
  [[nodiscard]] io::dialer& dialer() noexcept { return dialer_; }
  [[nodiscard]] std::span<char> read_buffer() noexcept { return read_buffer_; }
  /// Memory for the events of a step, which gives it back; none while another step has it.
  [[nodiscard]] std::vector<session::event>& spare_events() noexcept { return spare_events_; }
  void forget(connection& gone);

 private:
  shared_services& services_;
  ops::thread_tally& tally_;
  event_loop loop_;
  io::dialer dialer_;
  session::plan_cache plans_;
  std::vector<char> read_buffer_;
  std::vector<session::event> spare_events_;
  std::unordered_set<std::shared_ptr<connection>> connections_;
  std::thread thread_;
};

}  // namespace proxy::io
