// Input: a setting, then SQL text. What is composed of the client's string and hidden statements is, for
// PostgreSQL's own grammar, as many statements as are owed; the client's text is in it in order and whole;
// what is sent as a message is one message, whose length is its own.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include <pg_query.h>

#include "protocol/framer.hpp"
#include "protocol/frontend.hpp"
#include "proxy/session/filling.hpp"
#include "proxy/session/script.hpp"
#include "tests/session/stage.hpp"

namespace {

namespace ps = proxy::session;

void require(bool holds, int line = __builtin_LINE()) {
  if (holds) return;
  std::fprintf(stderr, "line %d does not hold\n", line);
  std::abort();
}

/// -1: the grammar does not take it.
int statements_in(const std::string& sql) {
  const PgQueryProtobufParseResult parsed = pg_query_parse_protobuf(sql.c_str());
  int count = -1;
  if (parsed.error == nullptr) {
    const PgQuerySplitResult split = pg_query_split_with_parser(sql.c_str());
    if (split.error == nullptr) count = split.n_stmts;
    pg_query_free_split_result(split);
  }
  pg_query_free_protobuf_parse_result(parsed);
  return count;
}

/// The client's text stands in what was built where `copied` says, in order and whole, up to `rest`.
void require_client_text(const ps::script& made, std::string_view text) {
  std::size_t reached = 0;
  for (const auto& piece : made.copied) {
    require(std::uint64_t{piece.prelude_offset} + piece.size <= made.sql.size());
    require(std::uint64_t{piece.client_offset} + piece.size <= text.size());
    require(made.sql.compare(piece.prelude_offset, piece.size, text, piece.client_offset, piece.size) == 0);
    if (piece.client_offset == reached) reached += piece.size;
  }
  require(reached == text.size());
}

void require_message(const std::string& sql) {
  std::string message;
  if (!protocol::frontend::encode_query(sql, message)) return;
  const protocol::whole_limits none;
  protocol::framer frames(none);
  frames.feed(message);
  const protocol::piece one = frames.next();
  require(one.kind == protocol::piece_kind::whole && frames.held() == 0);
  const auto read = protocol::frontend::decode_query(one.frame.body);
  require(read && *read == sql);
}

void examine(const ps::analysis_ptr& found, const ps::book_ptr& book, bool in_block, bool grammar) {
  ps::block_tracker at;
  if (in_block) at.ready('T', false, false);
  ps::script_request request{found, book, ps::choose_plans(*found, at), {}, {}, {}};
  request.watches.resize(found->statements.size());
  for (const rules::plan* plan : request.chosen.plans) {
    for (const rules::prelude& hidden : plan->preludes) {
      const auto filled = ps::fill(hidden.sql, hidden.holes, hidden.copied, {}, nullptr);
      require(filled.has_value());
      if (grammar) require(statements_in(filled->sql) == 1);
    }
  }
  if (!request.chosen.wrapped) return;
  const auto made = ps::compose_script(std::move(request));
  require(made.has_value());
  require(made->runs.size() == made->hidden.size() && made->watches.size() == made->hidden.size());
  require_client_text(*made, found->text);
  require_message(made->sql);
  if (grammar) require(statements_in(made->sql) == static_cast<int>(made->hidden.size()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view settings[] = {"guarded", "optimistic", "escrow", "once"};
  if (size < 2 || size > 16384) return 0;
  const auto book = stage::book(settings[data[0] % 4]);
  // A message's text ends at its first zero byte.
  std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  text.resize(text.find('\0') == std::string::npos ? text.size() : text.find('\0'));
  if (!book->may_touch(text)) return 0;
  const auto found = book->analyse(text, {});
  const bool grammar = found->exact && statements_in(text) == static_cast<int>(found->statements.size());
  for (const bool in_block : {false, true}) examine(found, book, in_block, grammar);
  return 0;
}
