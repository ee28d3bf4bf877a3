// Owns the fields of ErrorResponse and NoticeResponse: reading, building, and changing some of them.
// It refuses to know what an SQLSTATE means and who raises which.
#pragma once

#include <cstddef>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "protocol/frame.hpp"
#include "protocol/reader.hpp"

namespace protocol {

/// The manual's field codes (protocol-error-fields). Others may occur: "frontends should silently ignore
/// fields of unrecognized type".
namespace error_code {
inline constexpr char severity = 'S';  // may be localised
inline constexpr char severity_plain = 'V';
inline constexpr char sqlstate = 'C';
inline constexpr char message = 'M';
inline constexpr char detail = 'D';
inline constexpr char hint = 'H';
inline constexpr char position = 'P';  // in characters, from 1
inline constexpr char internal_position = 'p';
inline constexpr char internal_query = 'q';
inline constexpr char where = 'W';
inline constexpr char schema = 's';
inline constexpr char table = 't';
inline constexpr char column = 'c';
inline constexpr char data_type = 'd';
inline constexpr char constraint = 'n';
inline constexpr char file = 'F';
inline constexpr char line = 'L';
inline constexpr char routine = 'R';
}  // namespace error_code

struct error_field {
  char code = 0;
  std::string_view value;

  bool operator==(const error_field&) const = default;
};

/// The fields in a body. A body that is cut off, or goes on after its terminator, still gives the fields that
/// are there, and ok() is false.
class error_fields {
 public:
  class iterator {
   public:
    using value_type = error_field;
    using difference_type = std::ptrdiff_t;

    iterator() = default;
    explicit iterator(std::string_view left) noexcept : left_(left) { step(); }
    const error_field& operator*() const noexcept { return now_; }
    const error_field* operator->() const noexcept { return &now_; }
    iterator& operator++() noexcept {
      step();
      return *this;
    }
    void operator++(int) noexcept { step(); }
    bool operator==(std::default_sentinel_t) const noexcept { return now_.code == 0; }

   private:
    friend class error_fields;
    void step() noexcept;

    std::string_view left_;
    error_field now_;
    bool cut_off_ = false;
  };

  explicit error_fields(std::string_view body) noexcept : body_(body) {}

  /// First field with that code; nullopt if there is none.
  [[nodiscard]] std::optional<std::string_view> get(char code) const noexcept;
  /// get(), with empty for a field that is missing.
  [[nodiscard]] std::string_view text(char code) const noexcept {
    return get(code).value_or(std::string_view{});
  }
  [[nodiscard]] iterator begin() const noexcept { return iterator(body_); }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }
  /// Whether every field ends, and the list ends where the body does.
  [[nodiscard]] bool ok() const noexcept;

 private:
  std::string_view body_;
};

/// An error of our own; empty fields are left out, except severity, sqlstate and message, which the manual
/// says are always present.
struct error_message {
  std::string severity = "ERROR";  // sent as S and V
  std::string sqlstate{};
  std::string message{};
  std::string detail{};
  std::string hint{};
  std::string position{};
  std::string internal_position{};
  std::string internal_query{};
  std::string where{};
  std::string schema{};
  std::string table{};
  std::string column{};
  std::string data_type{};
  std::string constraint{};
  std::string file{};
  std::string line{};
  std::string routine{};
};

/// Append a frame, in PostgreSQL's order of fields. False, and nothing appended, if a field has a zero byte
/// or the body would exceed max_body_size.
[[nodiscard]] bool encode_error(const error_message& error, std::string& out);
[[nodiscard]] bool encode_notice(const error_message& notice, std::string& out);

/// Appends a frame with exactly these fields. False as above, or if a code is 0.
[[nodiscard]] bool encode_error_fields(char tag, std::span<const error_field> fields, std::string& out);

/// Appends a frame (`tag` E or N) with the fields of `body`, unknown ones too, in their order; without those
/// whose code is in `drop`, and with those in `replace` exchanged in place, or added at the end where there
/// was none. A body that was cut off comes out complete. Returns as encode_error.
[[nodiscard]] bool rewrite_error(char tag, std::string_view body, std::string_view drop,
                                 std::span<const error_field> replace, std::string& out);

}  // namespace protocol
