#include "tests/e2e/child.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace e2e {

child::child(const std::vector<std::string>& command, std::string output_path)
    : output_path_(std::move(output_path)) {
  std::vector<char*> words;
  words.reserve(command.size() + 1);
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ > 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int out = open(output_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (in < 0 || out < 0) _exit(126);
  dup2(in, 0);
  dup2(out, 1);
  dup2(out, 2);
  execvp(words[0], words.data());
  _exit(127);
}

child::~child() {
  if (!running()) return;
  signal(SIGKILL);
  static_cast<void>(wait());
}

void child::signal(int number) const {
  if (!ended_) kill(pid_, number);
}

bool child::running() {
  if (ended_) return false;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return true;
  ended_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return false;
}

std::optional<int> child::wait(std::chrono::seconds limit) {
  if (!eventually([this] { return !running(); }, limit)) return std::nullopt;
  return ended_;
}

std::string child::output() const {
  return file_text(output_path_);
}

long child::memory(const std::string& what) const {
  std::istringstream lines(file_text("/proc/" + std::to_string(pid_) + "/status"));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(what + ":")) return std::atol(line.c_str() + what.size() + 1);
  }
  return -1;
}

std::string file_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

scratch::scratch() {
  std::string pattern = (std::filesystem::temp_directory_path() / "pgteller-e2e.XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = pattern;
}

scratch::~scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

int run_shell(const std::string& command, std::string& output) {
  const scratch place;
  child shell({"bash", "-c", "set -o pipefail\n" + command}, place / "output");
  const auto status = shell.wait(std::chrono::seconds{120});
  output = shell.output();
  return status.value_or(-1);
}

void pause_briefly() {
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

}  // namespace e2e
