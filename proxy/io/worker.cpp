#include "proxy/io/worker.hpp"

#include <boost/asio/post.hpp>

#include "proxy/io/connection.hpp"

namespace proxy::io {
namespace {

// Read at once: enough that a bulk result needs few system calls, small enough for the cache.
constexpr std::size_t read_buffer_bytes = 64U << 10U;

}  // namespace

worker::worker(shared_services& services)
    : services_(services),
      tally_(services.metrics.add_thread()),
      busy_(boost::asio::make_work_guard(loop_)),
      dialer_(loop_, services.settings.upstream),
      read_buffer_(read_buffer_bytes) {}

worker::~worker() {
  loop_.stop();
  join();
}

void worker::start() {
  thread_ = std::thread([this] { loop_.run(); });
}

void worker::finish() {
  busy_.reset();
}

void worker::join() {
  if (thread_.joinable()) thread_.join();
}

void worker::adopt(stream_socket client, bool over_limit) {
  std::string address = address_of(client);
  auto made = std::make_shared<connection>(*this, std::move(client), std::move(address), over_limit);
  boost::asio::post(loop_, [this, made] {
    connections_.insert(made);
    made->start();
  });
}

void worker::for_each(std::function<void(connection&)> what) {
  boost::asio::post(loop_, [this, what = std::move(what)] {
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
