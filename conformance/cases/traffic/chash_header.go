package traffic

import (
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that hashes something else than it was told: caches behind it
// hold everything four times.
var chashHeader = chashCase(spec.Case{
	ID:    "CHASH-HEADER",
	Title: "With chash by a header requests with the same value go to the same target, on every connection and gateway, and values spread.",
	Refs:  []string{"APISIX 3.18 upstream type chash, hash_on header"},
}, `"hash_on": "header", "key": "X-User"`, func(t *spec.T, i int) traffic.Request {
	return traffic.Request{Host: t.Host()}.With("x-user", userOf(i))
})
