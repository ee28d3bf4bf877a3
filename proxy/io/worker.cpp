#include "proxy/io/worker.hpp"

#include "proxy/io/connection.hpp"

namespace proxy::io {
namespace {

// Read at once: enough that a bulk result needs few system calls, small enough for the cache.
constexpr std::size_t read_buffer_bytes = 64U << 10U;

}  // namespace

worker::worker(shared_services& services)
    : services_(services),
      tally_(services.metrics.add_thread()),
      dialer_(loop_, services.resolving, services.settings.upstream),
      read_buffer_(read_buffer_bytes) {}

worker::~worker() {
  loop_.stop();
  join();
}

void worker::start() {
  thread_ = std::thread([this] { loop_.run(); });
}

void worker::finish() {
  loop_.finish();
}

void worker::join() {
  if (thread_.joinable()) thread_.join();
}

void worker::adopt(peer client, bool over_limit) {
  std::string address = address_of(client.socket());
  auto made = std::make_shared<connection>(*this, std::move(client), std::move(address), over_limit);
  loop_.post([this, made] {
    connections_.insert(made);
    made->start();
  });
}

void worker::for_each(std::function<void(connection&)> what) {
  loop_.post([this, what = std::move(what)] {
    const std::vector<std::shared_ptr<connection>> all(connections_.begin(), connections_.end());
    for (const auto& each : all) what(*each);
  });
}

void worker::books_changed() {
  for_each([](connection& each) { each.renew_book(); });
}

void worker::forget(connection& gone) {
  connections_.erase(gone.shared_from_this());
}

}  // namespace proxy::io
