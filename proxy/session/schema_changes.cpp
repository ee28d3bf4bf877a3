// DDL that may concern a guarded table: seen by its command tag, told when others can see it.
#include <algorithm>

#include "protocol/backend.hpp"
#include "proxy/session/session.hpp"

namespace proxy::session {
namespace {

namespace backend = protocol::backend;

bool changes_schema(std::string_view command_tag) {
  constexpr std::string_view verbs[] = {"ALTER ", "CREATE ", "DROP ", "GRANT", "REVOKE"};
  return std::any_of(std::begin(verbs), std::end(verbs),
                     [&](std::string_view verb) { return command_tag.starts_with(verb); });
}

// SELECT INTO and CREATE TABLE AS answer as SELECT does.
bool may_make_names(std::string_view command_tag) {
  return command_tag.starts_with("SELECT ") || command_tag == "DO" || command_tag == "CALL";
}

}  // namespace

void session::notice_schema_change(const frame_view& from) {
  if (!rules_ || !(ddl_named_guarded_ || copies_names_)) return;
  const auto command_tag = backend::decode_command_complete(from.body);
  if (command_tag && (changes_schema(*command_tag) || (copies_names_ && may_make_names(*command_tag))))
    schema_changed_ = true;
}

/// Others see DDL when it is committed; so does the catalog's connection.
void session::tell_schema_change(outbox& out) {
  if (!schema_changed_ || block_.status() != 'I') return;
  schema_changed_ = false;
  copies_names_ = false;
  base_ = nullptr;
  book_ = nullptr;  // the next guarded statement waits for the new one
  out.events.push_back({.what = event::type::schema_change, .rule = {}, .sqlstate = {}});
}

}  // namespace proxy::session
