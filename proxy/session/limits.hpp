// Every limit that a session enforces, in one place, with what happens when it is reached.
// Knows no mechanism; those that enforce a limit include this header.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace proxy::session::limits {

/// A Query, Parse or Bind up to this body size is looked at whole. A larger one streams through unseen: where
/// rules apply it is counted as opaque, and refused if a rule says on_opaque = "reject".
inline constexpr std::uint32_t analysed_message_bytes = 16U << 20U;

/// Largest body of the small messages (Describe, Execute, Close, ErrorResponse, ...) that is decoded.
/// Larger ones stream through as they are.
inline constexpr std::uint32_t small_message_bytes = 1U << 20U;

/// Messages sent to the server whose replies are still owed. The client is not read until there are fewer.
inline constexpr std::size_t owed_replies = 1U << 16U;

/// Bytes that a waiting session keeps of what its client sends meanwhile; then the client is not read.
inline constexpr std::size_t inbox_bytes = 256U << 10U;

/// Prepared statements, and portals, that a session remembers: those that a rule or the transaction block is
/// concerned with. One more is refused with 53400.
inline constexpr std::size_t prepared_statements = 20'000;
inline constexpr std::size_t portals = 20'000;

/// Bytes of statements and of parameters of Bind messages that a session keeps for them, in total. What would
/// go beyond is refused with 53400.
inline constexpr std::size_t kept_bytes = 64U << 20U;

/// Recorded reads that one write is compared with, where its text does not say which rows it means. The
/// oldest beyond it are not compared.
inline constexpr std::size_t compared_rows = 1024;

/// Writes in flight that are told apart by their rows; more of one batch stand for any row.
inline constexpr std::size_t unanswered_writes = 256;

/// What a recorded value that own writes have moved may grow to, in pieces of SQL and bytes, and how many
/// values a row may have after writes that may or may not have met it. Beyond, the next write is refused with
/// 40001.
inline constexpr std::size_t moved_pieces = 32;
inline constexpr std::size_t moved_bytes = 4096;
inline constexpr std::size_t possible_values = 4;

/// Rows of one transaction that are remembered for what comes after it: whose turns end, which rows met in a
/// deadlock.
inline constexpr std::size_t transaction_rows = 256;

/// Movements and savepoints of one transaction that a rollback can undo. Beyond, they count as committed:
/// what is wrong then is refused.
inline constexpr std::size_t journal_entries = 10'000;

/// Rows that one statement asks turns for; one that names more asks for none.
inline constexpr std::size_t turns_at_once = 16;

/// Largest Query or Bind that shares a commit; what is larger runs alone.
inline constexpr std::size_t shared_write_bytes = 64U << 10U;

/// A write that shares a commit and has been sent waits so long for its answer before its outcome is unknown,
/// beyond the rule's lock_timeout.
inline constexpr std::chrono::seconds group_answer_time{60};

/// Of a statement's text, in the report of a lost update.
inline constexpr std::size_t reported_statement_bytes = 200;

/// Bytes kept in an outgoing buffer before its source is not read any more, and bytes for the server that one
/// step of a session may make before it stops taking messages: a short message may stand for a long hidden
/// statement.
inline constexpr std::size_t outgoing_bytes = 256U << 10U;

/// Statement texts whose analysis is remembered, per thread, and their total size. The oldest are forgotten.
inline constexpr std::size_t cached_plans = 10'000;
inline constexpr std::size_t cached_plan_bytes = 32U << 20U;

/// Texts longer than this are analysed each time instead of being remembered.
inline constexpr std::size_t cached_text_bytes = 64U << 10U;

/// Shapes of texts, which differ in literals only, whose plans are remembered, per thread, and their total
/// size. The oldest are forgotten.
inline constexpr std::size_t lifted_shapes = 1'000;
inline constexpr std::size_t lifted_bytes = 64U << 20U;

/// Copies of a shape's plan that are used again when their sessions are done with them, and how many of them
/// are asked for one that is.
inline constexpr std::size_t lifted_copies = 64;
inline constexpr std::size_t lifted_copies_asked = 4;

/// upstream.statement_cache: the longest text that is kept prepared, the texts of one session in total (the
/// least recently used go first), how many are remembered to have come once, and how many names are freed at
/// a time.
inline constexpr std::size_t kept_statement_bytes = 16U << 10U;
inline constexpr std::size_t kept_statements_bytes = 1U << 20U;
inline constexpr std::size_t noted_statements = 256;
inline constexpr std::size_t closes_at_once = 16;

/// Hidden statements that a session keeps prepared beside the client's own, in total and for one of those.
/// What is beyond is prepared for each run.
inline constexpr std::size_t kept_preludes = 256;
inline constexpr std::size_t kept_preludes_of_one = 4;

/// From accepting a client until its first ReadyForQuery; then it is closed. The default of
/// listen.startup_timeout. PostgreSQL's own
/// authentication_timeout (60 s by default) usually ends it earlier.
inline constexpr std::chrono::seconds startup_time{65};

/// Of it, for the TLS handshake with a client; then it is closed.
inline constexpr std::chrono::seconds tls_handshake_time{10};

/// A connection that forwards a cancel request waits so long for PostgreSQL to close it.
inline constexpr std::chrono::seconds cancel_time{10};

/// How long PostgreSQL may wait for a lock for a client that has ended its connection, without a sign of it;
/// then the wait is cancelled.
inline constexpr std::chrono::milliseconds vanished_client_time{500};

/// How long the last bytes for a client that does not read are kept before it is closed.
inline constexpr std::chrono::seconds closing_time{5};

/// Clients beyond listen.max_connections that are told so at the same time; further ones are closed at once.
inline constexpr std::uint32_t refused_clients = 100;

}  // namespace proxy::session::limits
