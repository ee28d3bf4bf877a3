#include "rules/parse_tree.hpp"

#include <cstddef>
#include <cstring>

#include <pg_query.h>

namespace rules {
namespace {

const void* member(const message* owner, unsigned offset) noexcept {
  return reinterpret_cast<const std::byte*>(owner) + offset;
}

template <class T>
T read_member(const message* owner, unsigned offset) noexcept {
  T value;
  std::memcpy(&value, member(owner, offset), sizeof value);
  return value;
}

bool is_absent_alternative(const message* owner, const ProtobufCFieldDescriptor& field) noexcept {
  return (field.flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
         read_member<std::uint32_t>(owner, field.quantifier_offset) != field.id;
}

template <class Each>
void each_child(const message* owner, Each&& each) {
  const ProtobufCMessageDescriptor& type = *owner->descriptor;
  for (unsigned i = 0; i < type.n_fields; ++i) {
    const ProtobufCFieldDescriptor& field = type.fields[i];
    if (field.type != PROTOBUF_C_TYPE_MESSAGE || is_absent_alternative(owner, field)) continue;
    if (field.label != PROTOBUF_C_LABEL_REPEATED) {
      if (const auto* child = read_member<const message*>(owner, field.offset)) each(child);
      continue;
    }
    const auto count = read_member<std::size_t>(owner, field.quantifier_offset);
    const auto* children = read_member<message* const*>(owner, field.offset);
    for (std::size_t k = 0; k < count; ++k) {
      if (children[k] != nullptr) each(children[k]);
    }
  }
}

}  // namespace

const message* content(const node* wrapper) noexcept {
  if (wrapper == nullptr || wrapper->node_case == PG_QUERY__NODE__NODE__NOT_SET) return nullptr;
  return &wrapper->alias->base;  // every alternative is a pointer to a message
}

std::string_view string_of(const node* wrapper) noexcept {
  const auto* text = as<PgQuery__String>(wrapper);
  return text == nullptr ? std::string_view{} : text_of(text->sval);
}

std::optional<std::uint32_t> location_of(const message* found) noexcept {
  const auto* field = protobuf_c_message_descriptor_get_field_by_name(found->descriptor, "location");
  if (field == nullptr || field->type != PROTOBUF_C_TYPE_INT32) return std::nullopt;
  const auto location = read_member<std::int32_t>(found, field->offset);
  // Zero stands both for "at the start" and for "unset"; nothing that is spliced can start there.
  if (location <= 0) return std::nullopt;
  return static_cast<std::uint32_t>(location);
}

void detail::walk(const message* root, visitor visit, void* context) {
  // Asking a wrapper for its children would look at each of 240 alternatives.
  if (const auto* wrapper = as<PgQuery__Node>(root)) root = content(wrapper);
  if (root == nullptr || !visit(context, root)) return;
  each_child(root, [&](const message* child) { walk(child, visit, context); });
}

std::optional<parse_tree> parse_tree::parse(const std::string& text) {
  PgQueryProtobufParseResult parsed = pg_query_parse_protobuf(text.c_str());
  parse_tree tree;
  if (parsed.error == nullptr) {
    tree.root_.reset(pg_query__parse_result__unpack(
        nullptr, parsed.parse_tree.len, reinterpret_cast<const std::uint8_t*>(parsed.parse_tree.data)));
  }
  pg_query_free_protobuf_parse_result(parsed);
  if (tree.root_ == nullptr) return std::nullopt;
  return tree;
}

void parse_tree::release::operator()(PgQuery__ParseResult* root) const noexcept {
  pg_query__parse_result__free_unpacked(root, nullptr);
}

}  // namespace rules
