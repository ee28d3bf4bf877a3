#include <map>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "proxy/session/write_journal.hpp"

namespace proxy::session {
namespace {

constexpr std::chrono::milliseconds ttl{1000};

// One session with its records and its journal, and PostgreSQL reduced to what its transactions do to what
// the session may believe of a few rows: maps, stacked by savepoint.

struct belief {
  std::string value;
  bool moved = false;
  friend bool operator==(const belief&, const belief&) = default;
};
using beliefs = std::map<std::string, belief>;

class model {
 public:
  bool failed = false;
  beliefs now;

  void savepoint(const std::string& name) { stack_.push_back({name, now}); }
  bool release(const std::string& name) {
    const auto at = find(name);
    if (at < stack_.size()) stack_.resize(at);
    return at != npos;
  }
  bool rollback_to(const std::string& name) {
    const auto at = find(name);
    if (at == npos) return false;
    now = stack_[at].state;
    stack_.resize(at + 1);
    failed = false;
    return true;
  }
  /// True if it was committed.
  bool end(bool commit) {
    const bool done = commit && !failed;
    if (!done) now = base_;
    base_ = now;
    stack_.clear();
    failed = false;
    return done;
  }
  /// What was told stays told, whatever is rolled back.
  void told(const std::string& row, const std::string& value) {
    const auto found = now.find(row);
    if (found != now.end() && !found->second.moved) return;
    now[row] = base_[row] = {value, false};
    for (level& each : stack_) each.state[row] = {value, false};
  }

 private:
  struct level {
    std::string name;
    beliefs state;
  };
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);
  [[nodiscard]] std::size_t find(const std::string& name) const {
    for (std::size_t i = stack_.size(); i-- > 0;) {
      if (stack_[i].name == name) return i;
    }
    return npos;
  }

  beliefs base_;
  std::vector<level> stack_;
};

enum class verb : std::uint8_t { write, forget, savepoint, release, rollback_to, commit, rollback };

struct command {
  verb what = verb::write;
  std::string name;   // of a row or savepoint
  std::string value;  // to be written
  bool fails = false;
  bool meets_no_row = false;
  write_journal::mark mark = 0;
};

command any_command(int number) {
  command made;
  made.what = *rc::gen::weightedElement<verb>({{8, verb::write},
                                               {2, verb::forget},
                                               {4, verb::savepoint},
                                               {2, verb::release},
                                               {3, verb::rollback_to},
                                               {1, verb::commit},
                                               {1, verb::rollback}});
  made.name = *rc::gen::element<std::string>("a", "b", "c");
  made.value = std::to_string(number);
  made.fails = *rc::gen::inRange(0, 12) == 0;
  made.meets_no_row = *rc::gen::inRange(0, 6) == 0;
  return made;
}

class session {
 public:
  explicit session(bool thrifty) : thrifty_{thrifty} {}

  void send(command& each) {
    switch (each.what) {
      case verb::write:
        each.mark = move(each.name, record(each.value, true));
        break;
      case verb::forget:
        each.mark = move(each.name, std::nullopt);
        break;
      case verb::savepoint:
        // A savepoint before the first write need not be kept.
        each.mark = thrifty_ && journal_.empty() ? 0 : journal_.add_savepoint(each.name);
        break;
      case verb::release:
        each.mark = journal_.add_release(each.name);
        break;
      case verb::rollback_to:
        each.mark = journal_.add_rollback_to(each.name);
        break;
      case verb::commit:
      case verb::rollback:
        each.mark = journal_.add_end();
        break;
    }
  }

  /// PostgreSQL carries the command out, or not, and the session is told. False if it failed.
  bool answer(const command& each, model& server) {
    bool done = !each.fails && (!server.failed || each.what >= verb::rollback_to);
    if (done && each.what == verb::release) done = server.release(each.name);
    if (done && each.what == verb::rollback_to) done = server.rollback_to(each.name);
    if (!done) {
      server.failed = true;
      journal_.drop(each.mark, undo_);
      return false;
    }
    if (each.what == verb::rollback_to) journal_.rolled_back_to(each.mark, undo_);
    if (each.what == verb::savepoint) server.savepoint(each.name);
    if (each.what == verb::write || each.what == verb::forget) wrote(each, server);
    if (each.what == verb::commit || each.what == verb::rollback) {
      if (server.end(each.what == verb::commit)) {
        journal_.committed(each.mark);
      } else {
        journal_.rolled_back(each.mark, undo_);
      }
    }
    return true;
  }

  void skip(const command& each) { journal_.drop(each.mark, undo_); }

  void told(const std::string& row, const std::string& value) {
    static_cast<void>(records_.told(row, record(value, false), false, ttl));
  }

  [[nodiscard]] beliefs known() const {
    beliefs all;
    for (const std::string row : {"a", "b", "c"}) {
      const auto* const found = records_.peek(row);
      if (found) all[row] = {found->columns[0].any_of[0].pieces[0].text, found->own_write};
    }
    return all;
  }

 private:
  static recorded_read record(const std::string& value, bool moved) {
    recorded_read made;
    made.columns.resize(1);
    made.columns[0].any_of = {{{{value, std::nullopt}}}};
    made.own_write = moved;
    return made;
  }

  write_journal::mark move(const std::string& row, std::optional<recorded_read> to) {
    auto before = records_.put(row, std::move(to));
    return journal_.add({.row = row, .before = std::move(before), .version = version(row)});
  }

  [[nodiscard]] std::uint64_t version(const std::string& row) const {
    const auto* const found = records_.peek(row);
    return found ? found->version : 0;
  }

  void wrote(const command& each, model& server) {
    if (each.meets_no_row) {
      journal_.drop(each.mark, undo_);
    } else if (each.what == verb::write) {
      server.now[each.name] = {each.value, true};
    } else {
      server.now.erase(each.name);
    }
  }

  bool thrifty_;
  recorded_reads records_;
  write_journal journal_;
  write_journal::undo undo_ = [this](const write_journal::moved& what) {
    if (version(what.row) == what.version) records_.restore(what.row, what.before);
  };
};

TEST(write_journal_simulation, agrees_with_stacked_maps_under_pipelines_and_failures) {
  EXPECT_TRUE(rc::check("batches", [](bool thrifty) {
    session client(thrifty);
    model server;
    int number = 0;
    const int batches = *rc::gen::inRange(1, 12);
    for (int batch = 0; batch < batches; ++batch) {
      std::vector<command> sent(*rc::gen::inRange<std::size_t>(1, 8));
      for (command& each : sent) client.send(each = any_command(++number));
      // Everything behind a failure is skipped up to the end of the batch.
      bool good = true;
      for (const command& each : sent) {
        if (good) {
          good = client.answer(each, server);
        } else {
          client.skip(each);
        }
      }
      RC_ASSERT(client.known() == server.now);
      if (*rc::gen::arbitrary<bool>()) {
        const auto row = *rc::gen::element<std::string>("a", "b", "c");
        client.told(row, std::to_string(++number));
        server.told(row, std::to_string(number));
        RC_ASSERT(client.known() == server.now);
      }
    }
    command last;
    last.what = verb::rollback;
    client.send(last);
    RC_ASSERT(client.answer(last, server));
    RC_ASSERT(client.known() == server.now);
  }));
}

}  // namespace
}  // namespace proxy::session
