package traffic

import (
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that hashes the whole Cookie line, or the first cookie in it: a
// session moves when any other cookie changes.
var chashCookie = chashCase(spec.Case{
	ID:    "CHASH-COOKIE",
	Title: "With chash by a cookie requests with the same value of it go to the same target, whatever other cookies come with it, and values spread.",
	Refs:  []string{"APISIX 3.18 upstream type chash, hash_on cookie", "RFC 6265 4.2"},
}, `"hash_on": "cookie", "key": "session"`, func(t *spec.T, i int) traffic.Request {
	return traffic.Request{Host: t.Host()}.With("Cookie", "other="+t.Env().Recorder().Now().String()+"; session="+userOf(i)+"; last=1")
})
