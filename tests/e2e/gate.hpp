// A TCP relay on the way to a server, which cuts, ends, silences or splits what it relays, at a byte of the
// test's choice. Knows nothing of what it relays.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace e2e {

/// Who sends: the one that has connected to the gate, or the one that the gate has connected to.
enum class side : std::uint8_t { client, server };

/// What becomes of a connection instead of one byte's being relayed.
struct fault {
  enum class type : std::uint8_t {
    reset,    // both sides see a reset
    end,      // both sides see an orderly end, where nothing lies unread
    silence,  // nothing is relayed any more, and nothing else happens
  };
  type what = type::reset;
  side of = side::server;
  std::size_t at = 0;  // number of the byte, from 0
};

class gate {
 public:
  /// To this port of the loopback address; by default the test cluster's.
  explicit gate(int to = 0);
  ~gate();
  gate(const gate&) = delete;
  gate& operator=(const gate&) = delete;

  [[nodiscard]] int port() const { return port_; }
  /// Resets all connections; returns when that is done.
  void cut();

  /// From here on the bytes of the newest connection are counted and kept. Waits until there is one.
  void watch();
  /// The same, with a fault to come.
  void arm(const fault& what);
  /// What has been relayed of that connection since.
  [[nodiscard]] std::string relayed(side from);
  /// Resets that connection; returns when that is done.
  void drop_watched();
  /// The fault has come to pass.
  [[nodiscard]] bool struck();
  /// Relays no more than so many bytes at a time, each piece a packet of its own; 0: as they come.
  void split(std::size_t piece) { piece_ = piece; }

 private:
  struct direction {
    int from = -1;
    int to = -1;
    std::string relayed{};
  };
  struct pair {
    std::array<direction, 2> ways;  // by side
    bool watched = false;
    bool silent = false;
    bool struck = false;
    bool dropped = false;
    std::optional<fault> armed{};
  };

  void run();
  void relay();
  void drop_marked();
  void admit();
  static void drop(pair& which, bool reset);
  [[nodiscard]] bool pass_on(pair& of, side from) const;
  [[nodiscard]] static bool strikes(pair& of, side from, std::size_t& most);

  int target_;
  int listener_ = -1;
  int port_ = 0;
  std::mutex mutex_;  // of what follows
  std::list<pair> pairs_;
  std::optional<pair> ended_;  // the watched one, once it is gone
  std::atomic<std::size_t> piece_{0};
  std::atomic<bool> cut_{false};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace e2e
