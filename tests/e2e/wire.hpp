// A raw TCP client: sends any bytes, and cuts what comes back into protocol messages by itself.
// Shares no framing code with what it tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace e2e {

class wire {
 public:
  wire(const std::string& host, int port);
  ~wire();
  wire(const wire&) = delete;
  wire& operator=(const wire&) = delete;

  /// Also a few bytes at a time: `piece` > 0.
  void send(std::string_view bytes, std::size_t piece = 0);
  void end_sending();
  /// The peer sees a reset.
  void reset();

  /// Sends a StartupMessage for user postgres and reads to the first ReadyForQuery. False if refused.
  bool start(const std::string& database, const std::string& more_options = "");
  /// What came before that ReadyForQuery, it included.
  [[nodiscard]] const std::vector<std::string>& greeting() const { return greeting_; }

  /// The next whole message, tag included; empty at the end, or when time is up.
  std::string message();
  /// Messages until `count` ReadyForQuery, or one of the tags in `stop`, have come, or the end.
  std::vector<std::string> messages(int count, std::string_view stop = "");
  /// Some bytes, of whatever messages; empty at the end.
  std::string bytes();
  /// Every byte until the peer closes.
  std::string read_to_end();
  [[nodiscard]] bool closed() const { return closed_; }

 private:
  bool fill();

  int socket_ = -1;
  std::string got_;
  std::vector<std::string> greeting_;
  std::size_t at_ = 0;
  bool closed_ = false;
};

/// For tests: frames without a check of anything.
[[nodiscard]] std::string frame(char tag, std::string_view body);
[[nodiscard]] std::string query(std::string_view sql);
[[nodiscard]] std::string parse(std::string_view name, std::string_view sql);
[[nodiscard]] std::string bind(std::string_view portal, std::string_view statement,
                               const std::vector<std::string>& values = {}, int format = 0);
[[nodiscard]] std::string describe(char kind, std::string_view name);
[[nodiscard]] std::string close(char kind, std::string_view name);
[[nodiscard]] std::string execute(std::string_view portal, std::uint32_t rows = 0);
[[nodiscard]] std::string sync();
[[nodiscard]] std::string flush();
[[nodiscard]] std::string u32(std::uint32_t number);
[[nodiscard]] std::string u16(std::uint32_t number);

/// A message as one line of text; long ones by size and hash.
[[nodiscard]] std::string shown(const std::string& message);

/// An error's field in a raw ErrorResponse; empty if it has none.
[[nodiscard]] std::string error_field(const std::string& message, char code);

}  // namespace e2e
