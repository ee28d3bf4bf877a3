#include "proxy/io/event_loop.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <system_error>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace proxy::io {
namespace {

constexpr std::uint32_t watched_events = EPOLLIN | EPOLLRDHUP | EPOLLET;
constexpr std::uint32_t end_events = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

// At once, so that a turn, and with it the age of now(), stays short.
constexpr std::size_t events_at_once = 128;

int checked(int descriptor) {
  if (descriptor < 0) throw std::system_error(errno, std::system_category());
  return descriptor;
}

}  // namespace

void readiness::hear(std::uint32_t events) noexcept {
  if ((events & (EPOLLIN | end_events)) != 0) readable_ = true;
  if ((events & end_events) != 0) ended_ = true;
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) room_ = wants_room_;
}

/// Asked of epoll only while it is wanted: a Unix socket would tell of every message that its peer has read.
void readiness::want_room(bool wanted) noexcept {
  room_ = false;
  if (wanted == wants_room_) return;
  wants_room_ = wanted;
  epoll_event what{};
  what.events = watched_events | (wanted ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
  what.data.ptr = this;
  static_cast<void>(::epoll_ctl(loop_.epoll_, EPOLL_CTL_MOD, socket_, &what));
}

void readiness::look_again() {
  if (again_) return;
  again_ = true;
  loop_.again_.push_back(this);
}

void readiness::on_change(std::function<void()> changed) {
  loop_.done_.push_back(std::exchange(changed_, std::move(changed)));
}

void end_watching::operator()(readiness* gone) const noexcept {
  event_loop& loop = gone->loop_;
  gone->gone_ = true;
  --loop.sockets_;
  if (gone->again_) {
    std::replace(loop.again_.begin(), loop.again_.end(), gone, static_cast<readiness*>(nullptr));
  }
  static_cast<void>(::epoll_ctl(loop.epoll_, EPOLL_CTL_DEL, gone->socket_, nullptr));
  loop.gone_.emplace_back(gone);
}

void timer::at(clock::time_point when, std::function<void()> then) {
  cancel();
  when_ = when;
  then_ = std::move(then);
  loop_.timers_.emplace(when, this);
}

void timer::after(clock::duration time, std::function<void()> then) {
  at(clock::now() + time, std::move(then));
}

void timer::cancel() noexcept {
  if (!when_) return;
  loop_.timers_.erase({*when_, this});
  when_.reset();
  loop_.done_.push_back(std::move(then_));
  then_ = nullptr;
}

event_loop::event_loop() : epoll_(checked(::epoll_create1(EPOLL_CLOEXEC))), wake_(::eventfd(0, EFD_CLOEXEC)) {
  epoll_event what{};
  what.events = EPOLLIN | EPOLLET;  // each write is told, and it is never read
  what.data.ptr = nullptr;
  checked(wake_);
  checked(::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &what));
}

event_loop::~event_loop() {
  posts_.clear();
  bury();
  ::close(wake_);
  ::close(epoll_);
}

void event_loop::run() {
  thread_ = std::this_thread::get_id();
  while (!is_over()) turn();
}

bool event_loop::is_over() const {
  if (stopped_) return true;
  return finishing_ && sockets_ == 0 && timers_.empty() && !posted_;
}

void event_loop::turn() {
  std::array<epoll_event, events_at_once> events;
  const int count = wait(events);
  now_.reset();
  for (int i = 0; i < count; ++i) {
    auto* const who = static_cast<readiness*>(events[static_cast<std::size_t>(i)].data.ptr);
    if (who == nullptr || who->gone_) continue;
    who->hear(events[static_cast<std::size_t>(i)].events);
    who->changed_();
  }
  if (!again_.empty()) look_again();
  if (posted_.load(std::memory_order_acquire)) run_posted();
  if (!timers_.empty()) run_timers();
  bury();
}

/// How long epoll may wait; none: until something happens.
std::optional<event_loop::clock::duration> event_loop::patience() const {
  if (!again_.empty() || posted_) return clock::duration::zero();
  if (timers_.empty()) return std::nullopt;
  return std::max(timers_.begin()->first - clock::now(), clock::duration::zero());
}

/// Milliseconds would be too coarse for a pause between shared commits.
int event_loop::wait(std::span<epoll_event> into) {
  const auto longest = patience();
  const int most = static_cast<int>(into.size());
  if (exact_ && longest && longest->count() > 0) {
    const auto whole = std::chrono::floor<std::chrono::seconds>(*longest);
    const timespec time{whole.count(), (*longest - whole).count()};
    const int count = ::epoll_pwait2(epoll_, into.data(), most, &time, nullptr);
    if (count >= 0 || errno == EINTR) return count;
    exact_ = false;  // Linux before 5.11, or a filter of system calls that does not know it
  }
  if (!longest) return ::epoll_wait(epoll_, into.data(), most, -1);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*longest).count();
  const auto bounded = std::min<std::int64_t>(left, std::numeric_limits<int>::max());
  return ::epoll_wait(epoll_, into.data(), most, static_cast<int>(bounded));
}

/// Who asks again meanwhile comes after the events that are ready then.
void event_loop::look_again() {
  looking_.swap(again_);
  for (readiness* const who : looking_) {
    if (who != nullptr) who->again_ = false;
  }
  for (readiness* const who : looking_) {
    if (who != nullptr && !who->gone_) who->changed_();
  }
  looking_.clear();
}

void event_loop::run_posted() {
  posted_ = false;
  std::vector<std::function<void()>> all;
  {
    const std::lock_guard guard(lock_);
    all.swap(posts_);
  }
  for (const auto& each : all) each();
}

void event_loop::run_timers() {
  const clock::time_point now = clock::now();
  now_ = now;  // who is due must not be told a time before it, or it would ask again and again
  while (!timers_.empty() && timers_.begin()->first <= now) {
    timer& due = *timers_.begin()->second;
    timers_.erase(timers_.begin());
    due.when_.reset();
    const auto then = std::exchange(due.then_, nullptr);
    then();
  }
}

void event_loop::bury() {
  while (!gone_.empty() || !done_.empty()) {
    const auto gone = std::exchange(gone_, {});
    const auto done = std::exchange(done_, {});
  }
}

void event_loop::post(std::function<void()> what) {
  {
    const std::lock_guard guard(lock_);
    posts_.push_back(std::move(what));
  }
  if (!posted_.exchange(true) && thread_.load() != std::this_thread::get_id()) wake();
}

void event_loop::finish() {
  finishing_ = true;
  wake();
}

void event_loop::stop() {
  stopped_ = true;
  wake();
}

void event_loop::wake() noexcept {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(wake_, &one, sizeof one));
}

watched_socket event_loop::watch(int socket, std::function<void()> changed) {
  watched_socket made(new readiness(*this, socket, std::move(changed)));
  ++sockets_;
  epoll_event what{};
  what.events = watched_events;
  what.data.ptr = made.get();
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &what) != 0) made->hear(EPOLLERR);
  if (made->ended_) made->look_again();
  return made;
}

event_loop::clock::time_point event_loop::now() {
  now_ = now_ ? *now_ + clock::duration(1) : clock::now();
  return *now_;
}

}  // namespace proxy::io
