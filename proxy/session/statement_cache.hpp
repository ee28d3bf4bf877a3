// The statements that a session keeps prepared on its server under names of its own: which text has which
// name, what the client's unnamed statement stands for, which names are to be freed. Refuses to know messages
// and SQL: what may be kept, and when, is decided elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proxy/session/flat_queue.hpp"
#include "proxy/session/reply_ledger.hpp"

namespace proxy::session {

/// Names of these are this and a number.
inline constexpr char kept_name_prefix[] = "_pgteller_s";

/// Text and parameter types as they stand in a Parse, and the name that they have on the server.
struct kept_statement {
  std::string text;
  std::string name;
  std::uint64_t number = 0;       // in its name; 0: it has none
  std::uint64_t prepared_in = 0;  // batch of its Parse
  bool prepared = false;          // its ParseComplete has come
  bool known = true;              // by its text; else it is only still the unnamed statement
};

class statement_cache {
 public:
  using batch = std::uint64_t;
  using statement = std::shared_ptr<kept_statement>;

  /// At most `most` statements, and no more text than limits.hpp says.
  explicit statement_cache(std::size_t most) : most_{most} {}

  // Texts.

  /// The statement of this text, if its name is certain to be there when a message of batch `at` runs, or is
  /// skipped with it; it counts as used.
  [[nodiscard]] statement find(std::string_view text, batch at);
  /// The text has come before, is not kept, and may be. Notes it.
  [[nodiscard]] bool comes_again(std::string_view text);
  /// The text gets a name, by a Parse in batch `at`; the least recently used make room. The Closes of
  /// take_closes() go before it.
  [[nodiscard]] statement add(std::string_view text, batch at);
  /// Names to be freed, a few at a time; their Closes are sent now, and behind them the client's unnamed
  /// statement becomes another one.
  [[nodiscard]] std::vector<std::string> take_closes();
  /// No text has a name any more, nor gets one until open(): what texts mean may change, or names go.
  void shut();
  void open() noexcept { shut_ = false; }
  [[nodiscard]] bool is_shut() const noexcept { return shut_; }
  /// No text has a name any more.
  void forget() { drop_all(); }
  /// The same of one statement, if a text has it.
  void forget(std::uint64_t number);
  /// The oldest Parse in flight has told what each Parse of its text is to tell.
  void forget_oldest_parse();

  // The unnamed statement.

  struct meaning {
    statement value;      // null: the server's own, or none; or unknown()
    bool certain = true;  // false: an unanswered change of an earlier batch decides
  };
  /// What it is when a message of batch `at`, the newest, runs.
  [[nodiscard]] meaning unnamed(batch at) const;
  /// The server's own, of which nothing is known but that running it may change what texts mean.
  [[nodiscard]] const statement& unknown() const noexcept { return unknown_; }
  /// A message of batch `at` makes it `what`; null: the server's own, or none. False: that is nothing new, no
  /// answer needs to be told.
  [[nodiscard]] bool unnamed_becomes(statement what, batch at);

  /// A request with this mark was answered, failed, or was skipped. `place`: how many older changes of the
  /// unnamed statement are still owed.
  enum class outcome : std::uint8_t { done, failed, skipped };
  void settle(cache_mark mark, outcome how, std::size_t place = 0);

  [[nodiscard]] std::size_t size() const noexcept { return by_text_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  struct change {
    statement to;
    batch sent_in = 0;
  };
  using statements = std::list<statement>;

  void drop(statements::iterator which, bool frees);
  void drop_all();

  std::size_t most_;
  statements recent_;                                                   // most recently used first
  std::unordered_map<std::string_view, statements::iterator> by_text_;  // texts live in the statements
  std::size_t bytes_ = 0;
  std::uint64_t last_name_ = 0;        // names are not used again: an old one may still be there
  std::vector<std::size_t> noted_;     // hashes of texts that have come once, by their last bits
  std::vector<std::string> to_close_;  // names that no text has any more
  flat_queue<std::string> closing_;    // in flight
  flat_queue<statement> preparing_;    // in flight
  flat_queue<change> changes_;         // of the unnamed statement, in flight
  statement unnamed_;                  // as the server has confirmed it
  statement unknown_ = std::make_shared<kept_statement>();
  bool shut_ = false;
};

}  // namespace proxy::session
