// The structured log: one event a line, with named fields, as text or JSON on stderr.
// Refuses to know what events mean; never lets a field's bytes forge a line or a terminal command.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "proxy/ops/settings.hpp"

namespace spdlog {
class logger;
namespace sinks {
class sink;
}
}  // namespace spdlog

namespace proxy::ops {

/// A named value of an event. Borrows its text: only for the duration of the call.
struct log_field {
  std::string_view key;
  std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool> value;

  log_field(std::string_view k, std::string_view v) : key(k), value(v) {}
  log_field(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  log_field(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  log_field(std::string_view k, std::same_as<bool> auto v) : key(k), value(v) {}
  log_field(std::string_view k, double v) : key(k), value(v) {}
  template <std::signed_integral T>
  log_field(std::string_view k, T v) : key(k), value(std::int64_t{v}) {}
  template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>) log_field(std::string_view k, T v) : key(k), value(std::uint64_t{v}) {}
};

using log_fields = std::initializer_list<log_field>;

/// Thread-safe. A line is written whole. Times are UTC with milliseconds.
class event_log {
 public:
  explicit event_log(const log_settings&);                                           // to stderr
  event_log(const log_settings&, std::shared_ptr<spdlog::sinks::sink> destination);  // for tests
  ~event_log();
  event_log(const event_log&) = delete;
  event_log& operator=(const event_log&) = delete;

  /// Cheap; ask before building costly fields.
  [[nodiscard]] bool enabled(log_level) const noexcept;

  void event(log_level, std::string_view message, log_fields = {}) const;

  /// After a reload. The format stays what it was at the start.
  void set_level(log_level) noexcept;

 private:
  std::shared_ptr<spdlog::logger> logger_;
  log_format format_;
};

/// `message key=value ...`: values are quoted where they hold blanks, quotes or '='; control characters and
/// bytes that are no UTF-8 are escaped.
[[nodiscard]] std::string event_text(std::string_view message, log_fields = {});

/// `"level":"...","message":"...","key":value,...}`: what follows the timestamp in a JSON line.
[[nodiscard]] std::string event_json(log_level, std::string_view message, log_fields);

/// The word of the configuration file.
[[nodiscard]] std::string_view name(log_level) noexcept;

}  // namespace proxy::ops
