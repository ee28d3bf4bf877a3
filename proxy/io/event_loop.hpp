// One thread's loop: which of its sockets can be read or written, timers, and work posted from other threads.
// Refuses to know what is read or written, and by whom.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <thread>
#include <utility>
#include <vector>

struct epoll_event;

namespace proxy::io {

class event_loop;
struct end_watching;

/// What is known of a socket's readiness and has not been used up. The socket is registered once and
/// edge-triggered: an event tells only of what is new, so what was heard is kept here until a read has come
/// to the bottom (epoll(7)).
class readiness {
 public:
  /// Bytes, an end or an error may be there.
  [[nodiscard]] bool readable() const noexcept { return readable_; }
  /// A read has come to the bottom: it found nothing (`blocked`), or less than it had room for, and then an
  /// end that was announced is still to be read.
  void at_bottom(bool blocked) noexcept { readable_ = ended_ && !blocked; }
  /// Since room was asked for, there is some.
  [[nodiscard]] bool has_room() const noexcept { return room_; }
  /// Whether to tell when the socket takes bytes again. Ask after a write that was blocked.
  void want_room(bool wanted) noexcept;
  /// The handler is called once more before the loop sleeps, after the others.
  void look_again();
  /// Replaces the handler, also from within it.
  void on_change(std::function<void()> changed);

 private:
  friend class event_loop;
  friend struct end_watching;
  readiness(event_loop& loop, int socket, std::function<void()> changed)
      : loop_(loop), socket_(socket), changed_(std::move(changed)) {}
  void hear(std::uint32_t events) noexcept;

  event_loop& loop_;
  int socket_;
  bool readable_ = false;
  bool ended_ = false;  // the other side has closed its sending side, or the connection is gone
  bool room_ = false;
  bool wants_room_ = false;
  bool again_ = false;
  bool gone_ = false;
  std::function<void()> changed_;
};

/// Gives a readiness back to its loop, which keeps it until the events at hand are through.
struct end_watching {
  void operator()(readiness* gone) const noexcept;
};
using watched_socket = std::unique_ptr<readiness, end_watching>;

/// Runs a function once, at a time; the last one that was set. On the loop's thread only.
class timer {
 public:
  using clock = std::chrono::steady_clock;
  explicit timer(event_loop& loop) noexcept : loop_(loop) {}
  ~timer() { cancel(); }
  timer(const timer&) = delete;
  timer& operator=(const timer&) = delete;

  void at(clock::time_point when, std::function<void()> then);
  void after(clock::duration time, std::function<void()> then);
  void cancel() noexcept;

 private:
  friend class event_loop;
  event_loop& loop_;
  std::optional<clock::time_point> when_;
  std::function<void()> then_;
};

class event_loop {
 public:
  using clock = std::chrono::steady_clock;

  event_loop();
  ~event_loop();
  event_loop(const event_loop&) = delete;
  event_loop& operator=(const event_loop&) = delete;

  /// Returns after stop(), or after finish() once there is no socket, timer or posted work.
  void run();

  // From any thread.
  void post(std::function<void()> what);
  void finish();
  void stop();

  // On the loop's thread, or before it runs.
  /// `changed` is called whenever something is new, also for what was there before the call. The socket must
  /// not be closed before what is returned is given back.
  [[nodiscard]] watched_socket watch(int socket, std::function<void()> changed);
  /// The time, read once for all events that were ready at once; each call is later than the one before.
  [[nodiscard]] clock::time_point now();

 private:
  friend class readiness;
  friend class timer;
  friend struct end_watching;

  void turn();
  [[nodiscard]] std::optional<clock::duration> patience() const;
  [[nodiscard]] int wait(std::span<epoll_event> into);
  [[nodiscard]] bool is_over() const;
  void wake() noexcept;
  void look_again();
  void run_posted();
  void run_timers();
  void bury();

  int epoll_;
  int wake_;           // an eventfd
  bool exact_ = true;  // the kernel can wait for less than a millisecond
  std::atomic<std::thread::id> thread_{};
  std::atomic<bool> finishing_{false};
  std::atomic<bool> stopped_{false};
  std::atomic<bool> posted_{false};
  std::mutex lock_;
  std::vector<std::function<void()>> posts_;

  std::optional<clock::time_point> now_;
  std::size_t sockets_ = 0;
  std::set<std::pair<clock::time_point, timer*>> timers_;
  std::vector<readiness*> again_;
  std::vector<readiness*> looking_;
  // What must live until the events at hand are through: one of them may be for it, or it may be running.
  std::vector<std::unique_ptr<readiness>> gone_;
  std::vector<std::function<void()>> done_;
};

}  // namespace proxy::io
