// Package route owns the table that finds the rule for a request. It is pure,
// and a Table is immutable: Replace returns a new one that shares all
// but the changed paths, so a change costs the same at ten rules as at a
// hundred thousand, and a request keeps the table it started with.
//
// # Order
//
// The order is that of APISIX's routers. The default one is radixtree_host_uri:
//
//  1. host: exact, then wildcards by the longest suffix, then rules without
//     hosts; a host level without a match falls through to the next;
//  2. inside a level path: exact, then prefixes from the longest; priority
//     never beats either;
//  3. inside one path: priority (high first), the longer pattern, age (old
//     first), id;
//  4. the first rule whose conditions hold (methods, remote addresses, hosts, vars,
//     pattern) wins.
//
// radixtree_uri and radixtree_uri_with_parameter have no first step: hosts are a
// condition. For the latter, a path with a segment ":name" is a prefix that ends there.
//
// # Listeners
//
// All tenants share one table, and each rule is tied to the address and port
// of its listener. The table is therefore indexed on that pair before the
// host: a tenant's "/*" shares no leaf with anybody else's. This is an index
// only; it never changes which rule wins.
//
// # Index
//
// At a hundred thousand rules a search waits for memory, not for instructions. So each of
// its steps is one wait: hosts are in a table of lists that hold what they lead to (names);
// the paths of one host are a sorted list, searched from its beginning, or where they are
// many a trie over such lists (paths); an entry itself tells by digest, length and methods
// that it is not meant (entry). A rule is read when it has won. The text of a host and that
// of a path must be read, too: who makes rules puts them in one place (Rule).
//
// A change copies the way to what it changes. Of one in some fifty new hosts the table
// grows by a page as well, which then distributes the names of one page, some 100 at most,
// to two; it is never built anew.
package route
