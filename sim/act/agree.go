package act

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/sim/etcd"
	"github.com/unilb/unilb/sim/havoc"
	"github.com/unilb/unilb/sim/stored"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// applied is what a gateway says of what it has in force (docs/wire.md).
type applied struct {
	Applied map[string]int64  `json:"applied"`
	Hash    map[string]string `json:"hash"`
	Errors  []refusal         `json:"errors"`
}

type refusal struct {
	Key   string `json:"key"`
	Error string `json:"error"`
}

// statusLimit bounds one question to a status listener.
const statusLimit = 2 * time.Second

// status asks the status listener of a gateway.
func (r *Region) status(ctx context.Context, gw topology.Ref, path string, answer any) error {
	n, err := r.Node(gw)
	if err != nil {
		return err
	}
	at := netip.AddrPortFrom(n.Plan().Underlay, topology.L7StatusPort)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+at.String()+path, nil)
	if err != nil {
		return err
	}
	resp, err := traffic.HTTP(n, statusLimit).Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", path, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(answer)
}

// content is what the store of a region holds: the newest revision, and the last one
// at which an object below the prefix was put.
func (r *Region) content(ctx context.Context, o havoc.Options) (c *havoc.Content, newest, put int64, err error) {
	for _, ref := range o.Members {
		n, nerr := r.Node(ref)
		if nerr != nil {
			return nil, 0, 0, nerr
		}
		var kvs []etcd.KV
		if newest, err = n.Etcd().Revision(ctx); err != nil {
			continue
		}
		if kvs, err = n.Etcd().Dump(ctx, objectsPrefix+"/"); err != nil {
			continue
		}
		objects := make([]stored.Object, len(kvs))
		for i, kv := range kvs {
			objects[i] = stored.Object{Key: string(kv.Key), Value: kv.Value}
			put = max(put, kv.ModRev)
		}
		return havoc.Read(objectsPrefix, objects, o.Targets), newest, put, nil
	}
	return nil, 0, 0, fmt.Errorf("read the store: %w", err)
}

// Agree waits until every gateway has in force what the store holds, by what it says
// of itself: a revision between the last change and the newest, nothing refused but
// what is bad, and, when nothing is bad, the hash of the content. Then every gateway
// is asked for all that a havoc may have routed, and must answer by the content, but
// where something bad has a say. Nobody may edit meanwhile.
func (r *Region) Agree(ctx context.Context, o havoc.Options) (string, error) {
	begun := r.Recorder.Now()
	bounded, cancel := context.WithTimeoutCause(ctx, Bound, fmt.Errorf("not within %s", Bound))
	defer cancel()
	var content *havoc.Content
	var last error
	err := poll(bounded, func() (err error) {
		content, err = r.agreed(bounded, o)
		if bounded.Err() == nil {
			last = err // what is cut off says nothing
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("the gateways do not agree with the store: %w: %w", last, context.Cause(bounded))
	}
	took := r.Recorder.Now() - begun
	asked, err := r.answers(ctx, o, content)
	if err != nil {
		return "", fmt.Errorf("the gateways do not agree with the store: %w", err)
	}
	return fmt.Sprintf("%d gateways have %d objects, %d of them refused, hash %s, after %s; %d answers as the store says",
		len(o.Gateways), content.Len(), len(content.Bad()), content.Hash(), took.Round(time.Millisecond), asked), nil
}

// agreed says whether the gateways agree with the store now, and with what.
func (r *Region) agreed(ctx context.Context, o havoc.Options) (*havoc.Content, error) {
	c, newest, put, err := r.content(ctx, o)
	if err != nil {
		return nil, err
	}
	for _, gw := range o.Gateways {
		var a applied
		err := r.status(ctx, gw, "/status/applied", &a)
		if err == nil {
			err = a.is(c, newest, put)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", gw, err)
		}
	}
	return c, nil
}

// is says how a gateway's word differs from the store's.
func (a applied) is(c *havoc.Content, newest, put int64) error {
	rev := a.Applied[objectsPrefix]
	switch bad := c.Bad(); {
	case rev < put:
		return fmt.Errorf("revision %d is in force, want at least %d", rev, put)
	case rev > newest:
		return fmt.Errorf("revision %d is in force, and the store has come to %d only", rev, newest)
	case difference(a.Errors, bad) != "":
		return errors.New(difference(a.Errors, bad))
	case len(bad) == 0 && a.Hash[objectsPrefix] != c.Hash():
		return fmt.Errorf("at revision %d the hash is %s, want %s, that of what the store holds", rev, a.Hash[objectsPrefix], c.Hash())
	}
	return nil
}

// decisive are the directories of what a gateway must read to serve anybody: of a bad
// object there it must say that it does not have it. Others it may not read at all.
var decisive = []string{"/routes/", "/services/", "/upstreams/", "/ssls/", "/global_rules/"}

// difference names an object below the prefix that is refused and good, or bad and not
// refused; "" when there is none.
func difference(got []refusal, bad []string) string {
	for _, r := range got {
		if strings.HasPrefix(r.Key, objectsPrefix+"/") && !slices.Contains(bad, r.Key) {
			return fmt.Sprintf("it refuses %s, which is good: %s", r.Key, r.Error)
		}
	}
	for _, key := range bad {
		must := slices.ContainsFunc(decisive, func(dir string) bool { return strings.HasPrefix(key, objectsPrefix+dir) })
		if must && !slices.ContainsFunc(got, func(r refusal) bool { return r.Key == key }) {
			return fmt.Sprintf("it does not say that it refuses %s, which is bad", key)
		}
	}
	return ""
}

// answers asks all gateways, and returns how many answers were known and right.
func (r *Region) answers(ctx context.Context, o havoc.Options, c *havoc.Content) (asked int, err error) {
	for _, gw := range o.Gateways {
		ask, err := r.asker(gw)
		if err != nil {
			return asked, err
		}
		defer ask.close()
		for _, q := range havoc.Questions() {
			want, known := c.Answer(q)
			if !known {
				continue
			}
			got := ask.do(ctx, q)
			switch {
			case got.Reply == nil:
				return asked, fmt.Errorf("%s: %s%s got %s", gw, q.Host, q.Path, gotten(got))
			case want.Status != 0 && (got.Reply.FromBackend() || got.Reply.Status != want.Status):
				return asked, fmt.Errorf("%s: %s%s got %s, want %d by what the store holds", gw, q.Host, q.Path, gotten(got), want.Status)
			case want.Status == 0 && !slices.Contains(want.Backends, got.Backend()):
				return asked, fmt.Errorf("%s: %s%s got %s, want one of %v by what the store holds", gw, q.Host, q.Path, gotten(got), want.Backends)
			}
			asked++
		}
	}
	return asked, nil
}

// An asker asks one gateway, at its own address.
type asker struct{ session *traffic.Session }

func (r *Region) asker(gw topology.Ref) (*asker, error) {
	n, err := r.Node(gw)
	if err != nil {
		return nil, err
	}
	clients, err := r.Clients("")
	if err != nil {
		return nil, err
	}
	o := traffic.Options{Stream: probing + "agree-" + string(gw), Timeout: statusLimit, Conns: traffic.ConnPolicy{Keep: 1}}
	return &asker{traffic.NewSession(clients[0], netip.AddrPortFrom(n.Plan().Underlay, httpPort), r.Recorder, o)}, nil
}

func (a *asker) do(ctx context.Context, q havoc.Question) traffic.Result {
	return a.session.Do(ctx, traffic.Request{Host: q.Host, Target: q.Path})
}

func (a *asker) close() { a.session.Close() }

// gotten is what became of a request, in a few words.
func gotten(r traffic.Result) string {
	switch {
	case r.Reply == nil:
		return fmt.Sprintf("no answer: %v", r.Err)
	case r.Reply.FromBackend():
		return string(r.Backend())
	}
	return fmt.Sprintf("%d of the gateway", r.Reply.Status)
}

// Clear removes from the store what no gateway can use, and returns how much that
// was.
func (r *Region) Clear(ctx context.Context, o havoc.Options) (int, error) {
	c, _, _, err := r.content(ctx, o)
	if err != nil {
		return 0, err
	}
	s := &storm{Region: r, do: Havoc{Options: o}}
	for _, key := range c.Junk() {
		if _, err := s.straight(ctx, havoc.Edit{Verb: havoc.Delete, Key: strings.TrimPrefix(key, objectsPrefix)}); err != nil {
			return 0, fmt.Errorf("remove %s: %w", key, err)
		}
		r.Note("edit", "remove %s", key)
	}
	return len(c.Junk()), nil
}
