#include "rules/key_type.hpp"

#include <algorithm>
#include <array>

namespace rules {
namespace {

// Without a default B-tree operator class in pg_opclass, ascending.
constexpr std::array<std::uint32_t, 35> unordered{
    28,    // xid
    29,    // cid
    114,   // json
    142,   // xml
    143,   // xml[]
    199,   // json[]
    600,   // point
    601,   // lseg
    602,   // path
    603,   // box
    604,   // polygon
    628,   // line
    629,   // line[]
    718,   // circle
    719,   // circle[]
    1011,  // xid[]
    1012,  // cid[]
    1017,  // point[]
    1018,  // lseg[]
    1019,  // path[]
    1020,  // box[]
    1027,  // polygon[]
    1033,  // aclitem
    1034,  // aclitem[]
    1790,  // refcursor
    2201,  // refcursor[]
    2949,  // txid_snapshot[]
    2970,  // txid_snapshot
    3642,  // gtsvector
    3644,  // gtsvector[]
    4072,  // jsonpath
    4073,  // jsonpath[]
    4600,  // pg_brin_bloom_summary
    4601,  // pg_brin_minmax_multi_summary
    5038,  // pg_snapshot
};

// Without a default hash operator class, ascending.
constexpr std::array<std::uint32_t, 31> unhashed{
    114,   // json
    142,   // xml
    143,   // xml[]
    199,   // json[]
    600,   // point
    601,   // lseg
    602,   // path
    603,   // box
    604,   // polygon
    628,   // line
    629,   // line[]
    718,   // circle
    719,   // circle[]
    790,   // money
    791,   // money[]
    1017,  // point[]
    1018,  // lseg[]
    1019,  // path[]
    1020,  // box[]
    1027,  // polygon[]
    1560,  // bit
    1561,  // bit[]
    1562,  // bit varying
    1563,  // bit varying[]
    1790,  // refcursor
    2201,  // refcursor[]
    3614,  // tsvector
    3615,  // tsquery
    3643,  // tsvector[]
    3645,  // tsquery[]
    4072,  // jsonpath
};

}  // namespace

bool is_ordered_type(std::uint32_t type_oid) noexcept {
  return !std::binary_search(unordered.begin(), unordered.end(), type_oid);
}

bool is_hashed_type(std::uint32_t type_oid) noexcept {
  return !std::binary_search(unhashed.begin(), unhashed.end(), type_oid);
}

bool is_exact_number(std::uint32_t type_oid) noexcept {
  return type_oid == 20 || type_oid == 21 || type_oid == 23 || type_oid == 1700;
}

}  // namespace rules
