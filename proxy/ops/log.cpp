#include "proxy/ops/log.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace proxy::ops {
namespace {

struct code_point {
  std::uint32_t value = 0;
  std::size_t size = 0;  // 0: no UTF-8
};

// One code point of UTF-8 (RFC 3629): shortest form only, no surrogates, nothing above U+10FFFF.
code_point decode(std::string_view text) {
  const auto byte = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return {};
  std::uint32_t value = lead & (0xFFU >> (size + 1));
  for (std::size_t at = 1; at < size; ++at) {
    if ((byte(at) & 0xC0) != 0x80) return {};
    value = (value << 6) | (byte(at) & 0x3FU);
  }
  constexpr std::array<std::uint32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
  if (value < least[size] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return {};
  return {value, size};
}

// C0, DEL, C1, the line separators, and the marks that reverse text on a terminal.
bool must_escape(std::uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069);
}

void append_hex(std::string& out, std::uint32_t value, int digits) {
  constexpr std::string_view alphabet = "0123456789abcdef";
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) out.push_back(alphabet[(value >> shift) & 0xF]);
}

void append_escape(std::string& out, std::uint32_t c) {
  if (c == '\n') {
    out += "\\n";
  } else if (c == '\r') {
    out += "\\r";
  } else if (c == '\t') {
    out += "\\t";
  } else {
    out += "\\u";
    append_hex(out, c, 4);
  }
}

// Both formats escape alike, except that a byte that is no UTF-8 cannot be shown in JSON.
void append_escaped(std::string& out, std::string_view text, bool json) {
  while (!text.empty()) {
    const code_point c = decode(text);
    if (c.size == 0) {
      out += json ? "\\ufffd" : "\\x";
      if (!json) append_hex(out, static_cast<unsigned char>(text.front()), 2);
    } else if (must_escape(c.value)) {
      append_escape(out, c.value);
    } else {
      if (c.value == '"' || c.value == '\\') out.push_back('\\');
      out += text.substr(0, c.size);
    }
    text.remove_prefix(c.size == 0 ? 1 : c.size);
  }
}

bool needs_quotes(std::string_view text) {
  if (text.empty()) return true;
  while (!text.empty()) {
    const code_point c = decode(text);
    if (c.size == 0 || must_escape(c.value) || c.value == ' ' || c.value == '"' || c.value == '\\' ||
        c.value == '=') {
      return true;
    }
    text.remove_prefix(c.size);
  }
  return false;
}

void append_text(std::string& out, std::string_view text) {
  if (!needs_quotes(text)) {
    out += text;
    return;
  }
  out.push_back('"');
  append_escaped(out, text, false);
  out.push_back('"');
}

void append_json(std::string& out, std::string_view text) {
  out.push_back('"');
  append_escaped(out, text, true);
  out.push_back('"');
}

template <class T>
void append_number(std::string& out, T value) {
  std::array<char, 40> room{};
  const auto [end, error] = std::to_chars(room.data(), room.data() + room.size(), value);
  out.append(room.data(), end);
}

void append_value(std::string& out, const log_field& field, bool json) {
  std::visit(
      [&out, json](auto value) {
        using T = decltype(value);
        if constexpr (std::is_same_v<T, std::string_view>) {
          json ? append_json(out, value) : append_text(out, value);
        } else if constexpr (std::is_same_v<T, bool>) {
          out += value ? "true" : "false";
        } else if constexpr (std::is_same_v<T, double>) {
          std::isfinite(value) ? append_number(out, value) : static_cast<void>(out += "null");
        } else {
          append_number(out, value);
        }
      },
      field.value);
}

spdlog::level::level_enum spdlog_level(log_level level) {
  switch (level) {
    case log_level::trace:
      return spdlog::level::trace;
    case log_level::debug:
      return spdlog::level::debug;
    case log_level::info:
      return spdlog::level::info;
    case log_level::warn:
      return spdlog::level::warn;
    case log_level::error:
      break;
  }
  return spdlog::level::err;
}

}  // namespace

std::string_view name(log_level level) noexcept {
  switch (level) {
    case log_level::trace:
      return "trace";
    case log_level::debug:
      return "debug";
    case log_level::info:
      return "info";
    case log_level::warn:
      return "warn";
    case log_level::error:
      break;
  }
  return "error";
}

std::string event_text(std::string_view message, log_fields fields) {
  std::string line;
  append_escaped(line, message, false);
  for (const auto& field : fields) {
    line.push_back(' ');
    append_text(line, field.key);
    line.push_back('=');
    append_value(line, field, false);
  }
  return line;
}

std::string event_json(log_level level, std::string_view message, log_fields fields) {
  std::string line = "\"level\":";
  append_json(line, name(level));
  line += ",\"message\":";
  append_json(line, message);
  for (const auto& field : fields) {
    line.push_back(',');
    append_json(line, field.key);
    line.push_back(':');
    append_value(line, field, true);
  }
  return line + "}";
}

event_log::event_log(const log_settings& settings)
    : event_log(settings, std::make_shared<spdlog::sinks::stderr_sink_mt>()) {}

event_log::event_log(const log_settings& settings, std::shared_ptr<spdlog::sinks::sink> destination)
    : logger_(std::make_shared<spdlog::logger>("pgteller", std::move(destination))),
      format_(settings.format) {
  const std::string time = "%Y-%m-%dT%H:%M:%S.%eZ";
  const std::string pattern = format_ == log_format::json ? "{\"ts\":\"" + time + "\",%v" : time + " %v";
  logger_->set_formatter(
      std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc, "\n"));
  logger_->flush_on(spdlog::level::trace);
  set_level(settings.level);
}

event_log::~event_log() = default;

bool event_log::enabled(log_level level) const noexcept {
  return logger_->should_log(spdlog_level(level));
}

void event_log::event(log_level level, std::string_view message, log_fields fields) const {
  if (!enabled(level)) return;
  std::string line;
  if (format_ == log_format::json) {
    line = event_json(level, message, fields);
  } else {
    line = std::string(name(level));
    line.resize(6, ' ');
    line += event_text(message, fields);
  }
  logger_->log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
}

void event_log::set_level(log_level level) noexcept {
  logger_->set_level(spdlog_level(level));
}

}  // namespace proxy::ops
