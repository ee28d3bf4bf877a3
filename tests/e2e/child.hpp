// A program that a test runs: started, signalled, waited for with a deadline, its output in a file.
// Knows nothing of what the program does.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace e2e {

/// Generous: nothing here measures time, it only keeps a hanging program from hanging the tests.
inline constexpr std::chrono::seconds patience{60};

class child {
 public:
  /// stdin is /dev/null; stdout and stderr go to `output_path`. The child dies with this process.
  child(const std::vector<std::string>& command, std::string output_path);
  ~child();  // kills it if it still runs
  child(const child&) = delete;
  child& operator=(const child&) = delete;

  void signal(int number) const;
  [[nodiscard]] bool running();
  /// Exit code, or 128 + signal; nullopt if it still runs after `limit`.
  [[nodiscard]] std::optional<int> wait(std::chrono::seconds limit = patience);
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] std::string output() const;
  /// In kB, e.g. "VmHWM" or "VmRSS" of /proc/PID/status; -1 if it is not there.
  [[nodiscard]] long memory(const std::string& what) const;

 private:
  pid_t pid_ = -1;
  std::optional<int> ended_;
  std::string output_path_;
};

/// Asks every 10 ms until `condition()`; false if it is not so after `limit`.
template <class Condition>
[[nodiscard]] bool eventually(Condition condition, std::chrono::seconds limit = patience);

[[nodiscard]] std::string file_text(const std::string& path);
void write_file(const std::string& path, const std::string& text);

/// A directory of one test's own, removed with what is in it.
class scratch {
 public:
  scratch();
  ~scratch();
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Runs a shell command to its end; its exit code, output in `output`.
[[nodiscard]] int run_shell(const std::string& command, std::string& output);

void pause_briefly();

template <class Condition>
bool eventually(Condition condition, std::chrono::seconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    pause_briefly();
  }
  return true;
}

}  // namespace e2e
