// Owns a one-line text form of every message and startup packet, and the way back to bytes.
// It refuses to know sessions; it shows everything, passwords included, so it is for tests and for an
// operator's eyes.
//
// A line is the manual's message name and its fields, separated by spaces:
//   strings   "…" with \" \\ \n \r \t and \xNN for all other bytes outside 0x20–0x7e
//   NULL      in place of a string
//   numbers   decimal
//   lists     [a b c]; an empty list is left out
//
//   Query "SELECT 1"                          Sync  Flush  Terminate  CopyDone
//   Parse "name" "SELECT $1" [23]             Describe S "name"      Close P "portal"
//   Bind "portal" "name" formats=[1] params=["1" NULL] results=[0]
//   Execute "portal" 10                       (the row limit is left out if 0)
//   FunctionCall 1299 formats=[0] params=["1"] result=1   (result is left out if 0)
//   CopyData "1\t2\n"                         CopyFail "reason"
//   PasswordMessage "secret"                  SASLInitialResponse "SCRAM-SHA-256" "n,,n=,r=x"
//   SASLResponse "c=biws"                     (also any other body of 'p')
//
//   AuthenticationOk  AuthenticationCleartextPassword  AuthenticationMD5Password "salt"
//   AuthenticationSASL "SCRAM-SHA-256"        AuthenticationSASLContinue "…"  AuthenticationSASLFinal "…"
//   Authentication 7 "payload"                (every other kind)
//   BackendKeyData 4711 "\x00\x00\x00\x01"    ParameterStatus "TimeZone" "UTC"
//   ReadyForQuery I                           CommandComplete "SELECT 1"
//   RowDescription "id" table=16384 column=1 type=23 size=4 "name" table=16384 column=2
//                  (left out where equal to: table=0 column=0 type=25 size=-1 modifier=-1 format=0)
//   DataRow "1" NULL                          ParameterDescription [23]
//   ParseComplete  BindComplete  CloseComplete  NoData  EmptyQueryResponse  PortalSuspended  CopyDone
//   CopyInResponse 0 [0 0]                    (also CopyOutResponse, CopyBothResponse)
//   FunctionCallResponse "1"                  NegotiateProtocolVersion 196608 "_pq_.x"
//   NotificationResponse 4711 "channel" "payload"
//   ErrorResponse S="ERROR" C="42601" M="…"   NoticeResponse S="NOTICE" …
//
//   Malformed 'Q' "body"                      (a known tag whose body is no such message)
//   Unknown 'y' "body"                        (a tag that is not known in that direction)
//   Bytes "raw bytes"                         (only read: the bytes as they are, with no header added)
//
//   StartupMessage 3.0 user="a" database="b"  (a name that is no plain word is quoted too)
//   SSLRequest  GSSENCRequest  CancelRequest 4711 "\x00\x00\x00\x01"
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/frame.hpp"
#include "protocol/startup.hpp"

namespace protocol {

/// The line for a whole message (not for a piece of a streamed one), without a line end.
[[nodiscard]] std::string to_text(const frame_view& frame, direction from);

/// The frame that a line describes, with tag and length; nullopt if the line is not of the form above. It is
/// the inverse: from_text(to_text(f, d), d) is f's bytes.
[[nodiscard]] std::optional<std::string> from_text(std::string_view line, direction from);

/// The same for startup packets. A packet that is broken or incomplete gives "Broken" and the reason, which
/// has no way back; a StartupMessage of another major version than 3 gives Bytes.
[[nodiscard]] std::string startup_to_text(const startup_packet& packet);
[[nodiscard]] std::optional<std::string> startup_from_text(std::string_view line);

}  // namespace protocol
