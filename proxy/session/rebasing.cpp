// Statements that carry parameters of ours: what they are bound to, and what the client is told of them.
#include <algorithm>
#include <utility>

#include "protocol/backend.hpp"
#include "proxy/session/session.hpp"

namespace proxy::session {

namespace frontend = protocol::frontend;

namespace {

bool is_observed(const rules::write_note& write, const rules::rule_book& book) {
  return book.rules()[book.relations()[write.relation].rule].mode == rules::mode::observe;
}

/// The recorded values become parameters behind the client's own.
rules::insertion with_parameters_for(const rules::insertion& ours, std::uint16_t write,
                                     prepared_statement& statement) {
  rules::insertion made{ours.client_offset, {}};
  std::size_t from = 0;
  for (const rules::hole& hole : ours.holes) {
    made.text.append(ours.text, from, hole.offset - from);
    from = hole.offset;
    auto& own = statement.own_parameters;
    const auto known = std::find_if(own.begin(), own.end(), [&](const own_parameter& each) {
      return each.write == write && each.column == hole.column;
    });
    const auto index = known - own.begin();
    if (known == own.end()) own.push_back({write, hole.column});
    made.text += '$' + std::to_string(statement.client_parameters + 1 + index);
  }
  made.text.append(ours.text, from);
  return made;
}

}  // namespace

/// Puts text of ours into the statement where only it can make the check, or where it is to be rebased. The
/// same inside and outside a transaction.
bool session::carry_text(prepared_statement& statement) {
  const rules::statement* guarded = statement.guarded();
  if (guarded == nullptr || guarded->autonomous.kind != rules::plan_kind::wrap) return false;
  const rules::plan& plan = guarded->autonomous;
  statement.client_parameters =
      std::max(guarded->parameters, static_cast<std::uint16_t>(statement.types.size()));
  std::vector<rules::insertion> inside;
  for (std::size_t i = 0; i < plan.writes.size(); ++i) {
    if (is_observed(plan.writes[i], *statement.book)) continue;
    for (const rules::insertion& ours : plan.writes[i].rebase) {
      inside.push_back(with_parameters_for(ours, static_cast<std::uint16_t>(i), statement));
    }
  }
  for (const rules::prelude& guard : plan.preludes) {
    inside.insert(inside.end(), guard.insertions.begin(), guard.insertions.end());
  }
  if (inside.empty()) return false;
  std::stable_sort(inside.begin(), inside.end(), [](const auto& one, const auto& other) {
    return one.client_offset < other.client_offset;
  });
  statement.sent = insert_into(statement.analysed->text, inside);
  statement.carried = {statement.analysed, statement.book, nullptr, std::nullopt, {}};
  statement.carried.plan = &plan;
  return true;
}

/// The recorded values that the writes of `on` are rebased on: by write, then by relation column.
session::recorded_values session::rebased_of(const watch& on) {
  recorded_values values(on.writes.size());
  for (std::size_t i = 0; i < on.writes.size(); ++i) {
    const write_decision& decision = on.writes[i].decision;
    if (decision.what == write_decision::type::rebase) values[i] = decision.read;
  }
  return values;
}

/// The record has moved between Bind and Execute: what was bound does not fit any more.
refusal session::overtaken_bind(const watch& on) {
  const rules::guarded_relation& relation = on.book->relations()[on.writes.front().note->relation];
  const rules::rule& rule = on.book->rules()[relation.rule];
  return {.sqlstate = "40001",
          .message =
              "row of table \"" + relation.name + "\" was written between Bind and Execute of another write",
          .detail = {},
          .hint = "Retry the whole unit of work.",
          .rule = rule.name,
          .schema = relation.schema,
          .table = relation.name,
          .column = {}};
}

/// The client's Bind with the recorded values behind its own; NULL where nothing is to be rebased.
void session::pass_changed_bind(const frame_view& from, const frontend::bind_view& bind, portal& made,
                                note kept, outbox& out) {
  const prepared_statement& statement = *made.statement;
  if (bind.values.size() != statement.client_parameters) return pass(from, request::bind, out, kept);
  recorded_values read;
  if (made.watched) {
    for (watched_write& write : made.watched->writes) {
      write.decision =
          memory_.decide(*made.watched->book, *write.note, nullptr, write.rows, made.watched->at(out.now));
    }
    read = rebased_of(*made.watched);
  }
  std::vector<std::int16_t> formats;
  std::vector<std::optional<std::string_view>> values;
  for (std::size_t i = 0; i < bind.values.size(); ++i) {
    formats.push_back(bind.format(i));
    values.push_back(bind.value(i));
  }
  for (const own_parameter& own : statement.own_parameters) {
    const bool known = own.write < read.size() && own.column < read[own.write].size();
    const auto value = known ? read[own.write][own.column] : std::nullopt;
    formats.push_back(value ? value->format : std::int16_t{0});
    values.push_back(value ? std::optional<std::string_view>(*read[own.write][own.column]->bytes)
                           : std::nullopt);
  }
  std::vector<std::int16_t> result_formats;
  for (const std::int16_t format : bind.result_formats) result_formats.push_back(format);
  std::string changed;
  if (!frontend::encode_bind(bind.portal, bind.statement, formats, values, result_formats, changed)) {
    return end_unanswered("54000", "a guarded statement grew too long", "", out);
  }
  pass({from.tag, {}, changed}, request::bind, out, kept);
  out.to_server.own();  // `changed` ends here
}

/// ParameterDescription without the parameters of ours. False: it is the client's own.
bool session::tell_parameters(const frame_view& from, outbox& out) {
  if (describes_.empty() || describes_.front()->own_parameters.empty()) return false;
  const auto types = protocol::backend::decode_parameter_description(from.body);
  if (!types) return false;
  std::vector<std::uint32_t> own;
  for (const std::uint32_t type : *types) own.push_back(type);
  own.resize(std::min<std::size_t>(own.size(), describes_.front()->client_parameters));
  std::string frame;
  if (!protocol::backend::encode_parameter_description(own, frame)) return false;
  out.to_client.append(frame);
  return true;
}

}  // namespace proxy::session
