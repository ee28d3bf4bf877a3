#include <algorithm>
#include <map>
#include <tuple>

#include "rules/named_rows.hpp"
#include "rules/read_sources.hpp"
#include "rules/statement_context.hpp"

namespace rules {
namespace {

bool narrow_enough(const read_source& source, lock_reads wanted) {
  switch (wanted) {
    case lock_reads::key:
      return pins_key(source.pinned, *source.meant.table, pin::value);
    case lock_reads::equality:
      return !source.pinned.empty();
    case lock_reads::all:
      return true;
    case lock_reads::none:
      break;
  }
  return false;
}

/// Why the source is not locked by a prelude, or nothing if it is to be.
std::optional<touch> left_alone(const read_source& source, const rule& guarding) {
  touch counted;
  counted.rule = source.meant.rule;
  counted.kind = statement_kind::read;
  if (source.meant.defect) return unguarded(counted.rule, statement_kind::other, *source.meant.defect);
  if (source.locks_itself) return counted;
  // Its writes are validated or rebased, whoever came between.
  if (guarding.strategy != strategy::pessimistic || guarding.lock_reads == lock_reads::none) return counted;
  if (source.meant.table->unprivileged)
    return unguarded(counted.rule, counted.kind, unguarded_reason::privilege);
  if (source.hides_columns) return unguarded(counted.rule, counted.kind, unguarded_reason::shape);
  if (!narrow_enough(source, guarding.lock_reads)) {
    return unguarded(counted.rule, counted.kind, unguarded_reason::wide_read);
  }
  if (source.obstacle) return unguarded(counted.rule, counted.kind, *source.obstacle);
  return std::nullopt;
}

// All rows of one table under one rule are locked by one prelude, so in one order.
struct lock_group {
  std::uint32_t oid = 0;
  std::string relation;
  std::uint16_t rule = 0;
  std::vector<const read_source*> sources;
};

void add_to_group(std::vector<lock_group>& groups, const read_source& source) {
  const auto oid = source.meant.table->table.oid;
  const auto relation = relation_sql(*source.named);
  for (auto& group : groups) {
    if (group.oid != oid || group.rule != source.meant.rule || group.relation != relation) continue;
    group.sources.push_back(&source);
    return;
  }
  groups.push_back({oid, relation, source.meant.rule, {&source}});
}

prelude lock_rows(const statement_context& context, const lock_group& group) {
  prelude_request request;
  const auto& first = *group.sources.front();
  request.rule_index = group.rule;
  request.configured = &context.book.rules[group.rule];
  request.guarded = first.meant.table;
  request.one_schema = first.meant.one_schema;
  request.relation_sql = group.relation;
  for (const auto* source : group.sources) request.sources.push_back(source->rows);
  return write_prelude(context.text, request);
}

// Counts how often a statement's result may show each table. What a sub-select inside an expression returns
// is no column of a table.
class occurrences {
 public:
  occurrences(const compiled_book& book, const message* statement) : book_{book} {
    walk(statement, [&](const message* found) {
      if (const auto* named = as<PgQuery__RangeVar>(found)) named_.push_back(named);
      if (const auto* cte = as<PgQuery__CommonTableExpr>(found)) ctes_.push_back(text_of(cte->ctename));
      return as<PgQuery__SubLink>(found) == nullptr && as<PgQuery__LockingClause>(found) == nullptr;
    });
    for (const auto& name : ctes_) cte_twice_ = cte_twice_ || times(name) > 1;
  }

  [[nodiscard]] bool several(const guarded_table& guarded) const {
    if (cte_twice_) return true;
    const auto count = std::count_if(named_.begin(), named_.end(), [&](const PgQuery__RangeVar* one) {
      const auto all = book_.targets_of(text_of(one->schemaname), text_of(one->relname));
      return std::any_of(all.begin(), all.end(), [&](const target& meant) {
        return std::find(meant.tables.begin(), meant.tables.end(), &guarded) != meant.tables.end();
      });
    });
    return count > 1;
  }

 private:
  [[nodiscard]] std::ptrdiff_t times(std::string_view name) const {
    return std::count_if(named_.begin(), named_.end(), [name](const PgQuery__RangeVar* one) {
      return text_of(one->schemaname).empty() && text_of(one->relname) == name;
    });
  }

  const compiled_book& book_;
  std::vector<const PgQuery__RangeVar*> named_;
  std::vector<std::string_view> ctes_;
  bool cte_twice_ = false;
};

void add_read(plan& into, read_note note) {
  for (auto& known : into.reads) {
    if (known.relation != note.relation) continue;
    known.ambiguous = true;
    known.locks = known.locks && note.locks;
    if (known.rows.empty() || note.rows.empty()) {
      known.rows.clear();
    } else {
      known.rows.insert(known.rows.end(), note.rows.begin(), note.rows.end());
    }
    return;
  }
  into.reads.push_back(std::move(note));
}

void note_source(const read_source& source, bool locks, const occurrences& all, plan& in_block,
                 plan& autonomous) {
  for (const auto* guarded : source.meant.tables) {
    if (guarded->relation == no_relation || source.meant.defect) continue;
    read_note note;
    note.relation = guarded->relation;
    if (!source.hides_columns) note.rows = rows_named(source.named_by, *guarded);
    note.ambiguous = all.several(*guarded);
    add_read(autonomous, note);
    note.locks = locks;
    add_read(in_block, std::move(note));
  }
}

}  // namespace

void plan_read(const statement_context& context, const PgQuery__SelectStmt& top, plan& in_block,
               plan& autonomous) {
  const auto sources = find_read_sources(context, top);
  const occurrences all{context.book, &top.base};
  std::vector<lock_group> groups;
  for (const auto& source : sources) {
    const auto& guarding = context.book.rules[source.meant.rule];
    touch alone;
    alone.rule = source.meant.rule;
    alone.kind = statement_kind::read;
    const auto counted = left_alone(source, guarding);
    const bool held = !counted && source.by_key_alone && guarding.mode == mode::enforce;
    note_source(source, source.locks_itself || held, all, in_block, autonomous);
    if (counted) {
      add_touch(in_block, *counted);
      // Outside a transaction no read locks, so none is unguarded for its shape.
      add_touch(autonomous, source.meant.defect ? *counted : alone);
      continue;
    }
    touch locked = alone;
    locked.action = statement_action::lock;
    add_touch(in_block, locked);
    add_touch(autonomous, alone);
    add_to_group(groups, source);
  }
  std::stable_sort(groups.begin(), groups.end(), [](const lock_group& left, const lock_group& right) {
    return std::tie(left.oid, left.relation, left.rule) < std::tie(right.oid, right.relation, right.rule);
  });
  for (const auto& group : groups) add_prelude(in_block, lock_rows(context, group));
}

}  // namespace rules
