package check

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology"
)

// calls writes down what clients did to the Admin API.
type calls struct{ h history.History }

func (c *calls) call(client, verb string, from, to time.Duration, edit ...func(*history.AdminCall)) *calls {
	a := history.AdminCall{Seq: uint64(len(c.h.AdminCalls) + 1), Client: topology.Ref("client/" + client), Verb: verb, Key: "/routes/1", Call: from, Return: to, Outcome: history.OK, Status: 200}
	for _, e := range edit {
		e(&a)
	}
	c.h.AdminCalls = append(c.h.AdminCalls, a)
	return c
}

func (c *calls) put(client string, from, to time.Duration, v int, edit ...func(*history.AdminCall)) *calls {
	return c.call(client, "put", from, to, append([]func(*history.AdminCall){func(a *history.AdminCall) { a.Object = object(v) }}, edit...)...)
}

func (c *calls) get(client string, from, to time.Duration, v int, edit ...func(*history.AdminCall)) *calls {
	return c.call(client, "get", from, to, append([]func(*history.AdminCall){func(a *history.AdminCall) {
		a.Got = []byte(fmt.Sprintf(`{"create_time":%d,"status":1,"uri":"/%d","id":"1"}`, to, v))
	}}, edit...)...)
}

func object(v int) []byte { return []byte(fmt.Sprintf(`{"uri": "/%d"}`, v)) }

// quiet is enough calls of another key that say nothing.
func quiet() *calls {
	c := &calls{}
	for i := range MinOps {
		at := time.Duration(i) * ms
		c.get("q", at, at+ms/2, 7, key("/routes/quiet"))
	}
	return c
}

func key(k string) func(*history.AdminCall)  { return func(a *history.AdminCall) { a.Key = k } }
func atRev(n int64) func(*history.AdminCall) { return func(a *history.AdminCall) { a.Rev = n } }
func unsure(a *history.AdminCall)            { a.Outcome, a.Status, a.Error = history.Info, 0, "timeout" }
func missing(a *history.AdminCall)           { a.Outcome, a.Status, a.Got = history.Fail, 404, nil }
func refused(status int) func(*history.AdminCall) {
	return func(a *history.AdminCall) { a.Outcome, a.Status = history.Fail, status }
}

func TestAdminLinearizable(t *testing.T) {
	for name, c := range map[string]struct {
		c    *calls
		want want
	}{
		"reads what was written":         {quiet().put("a", 0, ms, 1).get("b", 2*ms, 3*ms, 1), want{Valid, "22 calls, 2 keys"}},
		"reads what was there before":    {quiet().get("b", 0, ms, 9).put("a", 2*ms, 3*ms, 1).get("b", 4*ms, 5*ms, 1), want{Valid, ""}},
		"stale read":                     {quiet().put("a", 0, ms, 1).put("a", 2*ms, 3*ms, 2).get("b", 4*ms, 5*ms, 1), want{Invalid, `/routes/1: get by client/b at +4ms to +5ms read {"uri":"/1"}; the last write that had returned before: put by client/a at +2ms to +3ms wrote {"uri":"/2"}; 0 writes`}},
		"read during the write":          {quiet().put("a", 0, ms, 1).put("a", 2*ms, 9*ms, 2).get("b", 4*ms, 5*ms, 1).get("b", 6*ms, 7*ms, 2), want{Valid, ""}},
		"back again during the write":    {quiet().put("a", 0, ms, 1).put("a", 2*ms, 9*ms, 2).get("b", 4*ms, 5*ms, 2).get("b", 6*ms, 7*ms, 1), want{Invalid, "/routes/1: get by client/b at +6ms"}},
		"never written":                  {quiet().put("a", 0, ms, 1).get("b", 2*ms, 3*ms, 8), want{Invalid, ""}},
		"gone after a delete":            {quiet().put("a", 0, ms, 1).call("a", "delete", 2*ms, 3*ms).get("b", 4*ms, 5*ms, 1, missing), want{Valid, ""}},
		"there after a delete":           {quiet().put("a", 0, ms, 1).call("a", "delete", 2*ms, 3*ms).get("b", 4*ms, 5*ms, 1), want{Invalid, "get by client/b"}},
		"missing after a put":            {quiet().put("a", 0, ms, 1).get("b", 4*ms, 5*ms, 1, missing), want{Invalid, "found nothing"}},
		"delete of what is there fails":  {quiet().put("a", 0, ms, 1).call("b", "delete", 4*ms, 5*ms, missing), want{Invalid, "delete by client/b"}},
		"unsure put may happen late":     {quiet().put("a", 0, ms, 1).put("b", 2*ms, 3*ms, 2, unsure).get("c", 4*ms, 5*ms, 1).get("c", 60*ms, 61*ms, 2), want{Valid, ""}},
		"unsure put may never happen":    {quiet().put("a", 0, ms, 1).put("b", 2*ms, 3*ms, 2, unsure).get("c", 4*ms, 5*ms, 1), want{Valid, ""}},
		"unsure put happens once":        {quiet().put("a", 0, ms, 1).put("b", 2*ms, 3*ms, 2, unsure).get("c", 4*ms, 5*ms, 2).put("a", 6*ms, 7*ms, 3).get("c", 8*ms, 9*ms, 2), want{Invalid, "get by client/c at +8ms"}},
		"not before it was sent":         {quiet().put("a", 0, ms, 1).get("c", 2*ms, 3*ms, 2).put("b", 4*ms, 5*ms, 2, unsure), want{Invalid, "get by client/c"}},
		"If-Match refused has no effect": {quiet().put("a", 0, ms, 1).put("b", 2*ms, 3*ms, 2, refused(412)).get("c", 4*ms, 5*ms, 1), want{Valid, ""}},
		"refused and yet it happened":    {quiet().put("a", 0, ms, 1).put("b", 2*ms, 3*ms, 2, refused(412)).get("c", 4*ms, 5*ms, 2), want{Invalid, "get by client/c"}},
		"revision of another write":      {quiet().put("a", 0, ms, 1, atRev(5)).get("b", 2*ms, 3*ms, 1, atRev(4)), want{Invalid, "(revision 4)"}},
		"revision of that write":         {quiet().put("a", 0, ms, 1, atRev(5)).get("b", 2*ms, 3*ms, 1, atRev(5)), want{Valid, ""}},
		"revisions go back":              {quiet().put("a", 0, ms, 1, atRev(5)).put("a", 2*ms, 3*ms, 1, atRev(4)), want{Invalid, "(revision 4)"}},
		"one delete for two":             {quiet().put("a", 0, ms, 1, atRev(5)).call("a", "delete", 2*ms, 9*ms, atRev(7)).call("b", "delete", 2*ms, 8*ms, atRev(7)).get("c", 10*ms, 11*ms, 1, missing), want{Valid, ""}},
		"delete at an older delete":      {quiet().call("a", "delete", 0, ms, atRev(7)).call("b", "delete", 2*ms, 3*ms, atRev(6)), want{Invalid, "(revision 6)"}},
		"delete at the put before it":    {quiet().put("b", 0, ms, 1, atRev(8)).call("c", "delete", 2*ms, 3*ms, atRev(8)), want{Invalid, "(revision 8)"}},
		"put at the revision of another": {quiet().put("a", 0, ms, 1, atRev(5)).put("b", 0, ms, 2, atRev(5)), want{Invalid, "(revision 5)"}},
		"another verb":                   {quiet().put("a", 0, ms, 1).call("a", "patch", 2*ms, 3*ms).get("b", 4*ms, 5*ms, 8), want{Unknown, `also changed by "patch"`}},
		"two calls at once":              {quiet().put("a", 0, 5*ms, 1).get("a", 2*ms, 3*ms, 8), want{Unknown, "client/a makes two calls at once"}},
		"only gets":                      {quiet(), want{Unknown, "20 answered gets and 0 writes"}},
		"too few":                        {(&calls{}).put("a", 0, ms, 1).get("b", 2*ms, 3*ms, 1), want{Unknown, "only 2 calls"}},
	} {
		t.Run(name, func(t *testing.T) { judge(t, AdminLinearizable(), c.c.h, c.want) })
	}
}

func TestValuesAreComparedAsTheTestWroteThem(t *testing.T) {
	set := func(field *[]byte, text string) { *field = []byte(text) }
	for name, c := range map[string]struct {
		wrote, read string
		want        State
	}{
		"order of fields":        {`{"a":1,"b":[{"c":2}]}`, `{"b":[{"c":2}],"a":1}`, Valid},
		"the API's own fields":   {`{"a":1}`, `{"id":"1","a":1,"create_time":5,"update_time":6,"status":1,"labels":{"x":"y"}}`, Valid},
		"own fields, deeper":     {`{"u":{"nodes":[{"host":"a"}]}}`, `{"u":{"type":"roundrobin","nodes":[{"host":"a","priority":0}]}}`, Valid},
		"another value":          {`{"a":1}`, `{"a":2}`, Invalid},
		"a field is gone":        {`{"a":1,"b":2}`, `{"a":1}`, Invalid},
		"one element more":       {`{"l":[1]}`, `{"l":[1,2]}`, Invalid},
		"large numbers":          {`{"n":9007199254740993}`, `{"n":9007199254740992}`, Invalid},
		"deeper than id":         {`{"u":{"id":1}}`, `{"u":{"id":2}}`, Invalid},
		"what another put wrote": {`{"a":1}`, `{"a":1,"other":1}`, Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			x := quiet().put("a", 0, ms, 1, func(a *history.AdminCall) { a.Object = []byte(`{"other":1}`) })
			x.put("a", 2*ms, 3*ms, 1, func(a *history.AdminCall) { set((*[]byte)(&a.Object), c.wrote) })
			x.get("b", 4*ms, 5*ms, 1, func(a *history.AdminCall) { set((*[]byte)(&a.Got), c.read) })
			judge(t, AdminLinearizable(), x.h, want{c.want, ""})
		})
	}
}

// A real register, used by several clients at once, is linearizable whatever the
// seed; the same record with one answer swapped for an older value is not.
func TestRandomUseOfARealRegisterIsLinearizable(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 1))
		c, value, next := &calls{}, 0, [4]time.Duration{}
		for i := range 200 {
			who := rng.IntN(len(next))
			from := next[who] + time.Duration(rng.IntN(5)+1)*ms
			to := from + ms/2 // effects come in the order of i only if calls do not cross
			if i > 0 {
				from = max(from, c.h.AdminCalls[i-1].Return-ms/4)
				to = from + ms
			}
			next[who] = to
			if rng.IntN(3) == 0 {
				value = i + 1
				c.put(fmt.Sprint(who), from, to, value)
			} else if value > 0 {
				c.get(fmt.Sprint(who), from, to, value)
			} else {
				c.get(fmt.Sprint(who), from, to, 0, missing)
			}
		}
		judge(t, AdminLinearizable(), c.h, want{Valid, "200 calls"})
		for i := len(c.h.AdminCalls) - 1; i > 0; i-- {
			if a := &c.h.AdminCalls[i]; a.Verb == "get" && a.Got != nil && i > 150 {
				a.Got = []byte(`{"uri":"/nobody"}`)
				break
			}
		}
		if v := judge(t, AdminLinearizable(), c.h, want{Invalid, "nobody"}); t.Failed() {
			t.Fatalf("seed %d: %s", seed, v)
		}
	}
}

func TestSearchThatTakesTooLongIsUnknown(t *testing.T) {
	c := quiet().put("a", 0, ms, 1).get("b", 2*ms, 3*ms, 1)
	judge(t, adminLinearizable{0}, c.h, want{Unknown, "no order was found, nor excluded, within 0s"})
}

func TestNothingLeft(t *testing.T) {
	census := func(at time.Duration, pids ...string) *history.Census {
		c := &history.Census{At: at, Things: map[history.Kind][]history.Thing{history.Processes: {}, history.Pins: {}}}
		for _, p := range pids {
			c.Things[history.Processes] = append(c.Things[history.Processes], history.Thing{ID: p + "@1", Text: p + " sleep"})
		}
		return c
	}
	judge(t, NothingLeft(), history.History{Before: census(1, "1", "7"), After: census(2, "1")}, want{Valid, "as before: bpf 0, process 1"})
	judge(t, NothingLeft(), history.History{Before: census(1, "1"), After: census(2, "1", "9")}, want{Invalid, "left behind: process: 9 sleep"})
	judge(t, NothingLeft(), history.History{After: census(2, "1")}, want{Unknown, "before the lab"})
	judge(t, NothingLeft(), history.History{Before: census(2, "1")}, want{Unknown, "after the lab"})
	judge(t, NothingLeft(), history.History{Before: census(2, "1"), After: census(2, "1")}, want{Unknown, "not taken after"})
	blind := census(2, "1")
	delete(blind.Things, history.Pins)
	judge(t, NothingLeft(), history.History{Before: census(1, "1"), After: blind}, want{Unknown, "looked at: bpf"})
}
