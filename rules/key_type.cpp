#include "rules/key_type.hpp"

#include <algorithm>
#include <array>

namespace rules {
namespace {

/// The default operator class, in pg_opclass, that a type does not have.
enum class lacks : std::uint8_t { btree, hash, both };

struct incomplete_type {
  std::uint32_t oid = 0;
  lacks without = lacks::both;
};

// Ascending by OID.
constexpr std::array<incomplete_type, 45> incomplete{{
    {28, lacks::btree},    // xid
    {29, lacks::btree},    // cid
    {114, lacks::both},    // json
    {142, lacks::both},    // xml
    {143, lacks::both},    // xml[]
    {199, lacks::both},    // json[]
    {600, lacks::both},    // point
    {601, lacks::both},    // lseg
    {602, lacks::both},    // path
    {603, lacks::both},    // box
    {604, lacks::both},    // polygon
    {628, lacks::both},    // line
    {629, lacks::both},    // line[]
    {718, lacks::both},    // circle
    {719, lacks::both},    // circle[]
    {790, lacks::hash},    // money
    {791, lacks::hash},    // money[]
    {1011, lacks::btree},  // xid[]
    {1012, lacks::btree},  // cid[]
    {1017, lacks::both},   // point[]
    {1018, lacks::both},   // lseg[]
    {1019, lacks::both},   // path[]
    {1020, lacks::both},   // box[]
    {1027, lacks::both},   // polygon[]
    {1033, lacks::btree},  // aclitem
    {1034, lacks::btree},  // aclitem[]
    {1560, lacks::hash},   // bit
    {1561, lacks::hash},   // bit[]
    {1562, lacks::hash},   // bit varying
    {1563, lacks::hash},   // bit varying[]
    {1790, lacks::both},   // refcursor
    {2201, lacks::both},   // refcursor[]
    {2949, lacks::btree},  // txid_snapshot[]
    {2970, lacks::btree},  // txid_snapshot
    {3614, lacks::hash},   // tsvector
    {3615, lacks::hash},   // tsquery
    {3642, lacks::btree},  // gtsvector
    {3643, lacks::hash},   // tsvector[]
    {3644, lacks::btree},  // gtsvector[]
    {3645, lacks::hash},   // tsquery[]
    {4072, lacks::both},   // jsonpath
    {4073, lacks::btree},  // jsonpath[]
    {4600, lacks::btree},  // pg_brin_bloom_summary
    {4601, lacks::btree},  // pg_brin_minmax_multi_summary
    {5038, lacks::btree},  // pg_snapshot
}};

bool has_class(std::uint32_t type_oid, lacks which) {
  const auto found =
      std::lower_bound(incomplete.begin(), incomplete.end(), type_oid,
                       [](const incomplete_type& each, std::uint32_t oid) { return each.oid < oid; });
  if (found == incomplete.end() || found->oid != type_oid) return true;
  return found->without != which && found->without != lacks::both;
}

}  // namespace

bool is_ordered_type(std::uint32_t type_oid) noexcept {
  return has_class(type_oid, lacks::btree);
}

bool is_hashed_type(std::uint32_t type_oid) noexcept {
  return has_class(type_oid, lacks::hash);
}

bool is_exact_number(std::uint32_t type_oid) noexcept {
  return type_oid == 20 || type_oid == 21 || type_oid == 23 || type_oid == 1700;
}

}  // namespace rules
