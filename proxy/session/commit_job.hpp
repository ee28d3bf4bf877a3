// Makes of one session's write a value that another session's connection can run, with the checks that go
// before it. Knows plans and what is on record; not who runs it, nor when.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/session/commit_groups.hpp"
#include "proxy/session/prepared.hpp"
#include "proxy/session/watch.hpp"

namespace proxy::session {

/// The write's rows and decision suit a group: one row, named by its key; relative or computed, rebased, or
/// validated.
[[nodiscard]] bool may_join_group(const watch& on);

/// A simple query of one statement. `rest`: of the client's string, behind what was analysed. Nothing if
/// something on record cannot be written as a constant.
[[nodiscard]] std::optional<group_job> job_of_query(const watch& on, std::string_view rest);

/// A bound statement. `describes`: its client asks for the shape of its rows. Nothing if a value is missing.
[[nodiscard]] std::optional<group_job> job_of_bind(const watch& on, const prepared_statement& statement,
                                                   const protocol::frontend::bind_view& bind, bool describes);

}  // namespace proxy::session
