package act

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/sim/admin"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/havoc"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/topology"
)

// HavocOptions are what there is to make havoc of in a region of a plan: its first one
// that has a store. The gateway that clients dial is spared.
func HavocOptions(p *topology.Plan, seed uint64, edits int, targets topology.Selector) havoc.Options {
	o := havoc.Options{Seed: seed, Edits: edits, Targets: map[topology.Ref]netip.AddrPort{}}
	members := p.OfKind(topology.KindEtcd)
	for _, n := range members {
		if n.Region == members[0].Region {
			o.Members = append(o.Members, n.Ref)
		}
	}
	for _, n := range p.OfKind(topology.KindL7) {
		if len(members) > 0 && n.Region == members[0].Region {
			o.Gateways = append(o.Gateways, n.Ref)
		}
	}
	if len(o.Gateways) > 0 {
		o.Spared = o.Gateways[0]
	}
	for _, n := range p.Select(targets) {
		if n.Kind == topology.KindIDC { // a guest has no address that a route could name
			o.Targets[n.Ref] = netip.AddrPortFrom(n.Underlay, topology.EchoPort)
		}
	}
	return o
}

// A Havoc is a plan that is carried out in a region.
type Havoc struct {
	Plan    havoc.Plan
	Options havoc.Options
	Every   time.Duration // pause between two edits
	Site    *Service      // what every gateway serves, whatever happens
}

// Limits of what havoc waits for.
const (
	editLimit = 6 * time.Second // of one edit; a store without a leader takes none for a while
	// refusalLimit is how long the Admin API may take to say that its store is away.
	refusalLimit = 3 * time.Second
)

// A storm is a Havoc under way.
type storm struct {
	*Region
	do     Havoc
	admin  *admin.Client
	region string
	before int64          // revision of the last change before the havoc
	tally  map[string]int // edits by what became of them
}

// Havoc carries out the plan: its faults one after the other, and its edits meanwhile.
// Every edit, and what became of it, is an event of the history; faults are in the
// ledger. What gateways must bear meanwhile is looked at, too: one that is started
// while the store is away serves the site, and the Admin API says at once that it
// cannot. All faults are healed when it returns without an error.
func (r *Region) Havoc(ctx context.Context, h Havoc) (string, error) {
	node, err := r.First(topology.KindEtcd, "")
	if err != nil {
		return "", err
	}
	s := &storm{Region: r, do: h, region: node.Plan().Region, tally: map[string]int{}}
	o, err := r.adminOptions(s.region, "havoc")
	if err != nil {
		return "", err
	}
	o.Timeout = editLimit
	if s.admin, err = admin.New(o); err != nil {
		return "", err
	}
	if _, _, s.before, err = r.content(ctx, h.Options); err != nil {
		return "", err
	}
	edits, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.edit(edits)
	}()
	for i, f := range h.Plan.Faults {
		begun := r.Recorder.Now()
		if err := s.suffer(ctx, f); err != nil {
			stop()
			<-done
			return "", fmt.Errorf("fault %d (%s): %w", i+1, f.Kind, err)
		}
		r.Note("havoc", "fault %d, %s of %v: over after %s", i+1, f.Kind, f.On, (r.Recorder.Now() - begun).Round(time.Millisecond))
	}
	<-done
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	return s.said(), s.keeps(ctx)
}

// keeps looks that the gateway that was never ended goes on with the good version of
// what is bad by now.
func (s *storm) keeps(ctx context.Context) error {
	ask, err := s.asker(s.do.Options.Spared)
	if err != nil {
		return err
	}
	defer ask.close()
	if got := ask.do(ctx, havoc.Kept); got.Backend() != s.do.Plan.Kept {
		return fmt.Errorf("%s, never ended: %s got %s, want %s, which its last good version names", s.do.Options.Spared, havoc.Kept.Host, gotten(got), s.do.Plan.Kept)
	}
	return nil
}

// said are the numbers of edits by what became of them.
func (s *storm) said() string {
	var out []string
	for what, n := range s.tally {
		out = append(out, fmt.Sprintf("%s %d", what, n))
	}
	slices.Sort(out)
	return fmt.Sprintf("%d faults, %d edits: %s", len(s.do.Plan.Faults), len(s.do.Plan.Edits), strings.Join(out, ", "))
}

// edit makes the edits of the plan, in their order.
func (s *storm) edit(ctx context.Context) {
	tick := time.NewTicker(max(s.do.Every, time.Millisecond))
	defer tick.Stop()
	for i, e := range s.do.Plan.Edits {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		bounded, cancel := context.WithTimeout(ctx, editLimit)
		what, said := s.try(bounded, e)
		cancel()
		s.tally[what]++
		s.Note("edit", "%d %s %s %s: %s", i+1, e.Verb, e.Key, brief(e), said)
	}
}

// brief is what an edit writes, in a line.
func brief(e havoc.Edit) string {
	if e.Junk != "" {
		return fmt.Sprintf("%s: %.60s", e.Junk, e.Value)
	}
	return fmt.Sprintf("%.300s", e.Value)
}

// try makes an edit and says what became of it, in a word and in full.
func (s *storm) try(ctx context.Context, e havoc.Edit) (what, said string) {
	if e.Straight {
		rev, err := s.straight(ctx, e)
		if err != nil {
			return "failed", err.Error()
		}
		if e.Junk != "" {
			return "junk", fmt.Sprintf("straight, revision %d", rev)
		}
		return "straight", fmt.Sprintf("straight, revision %d", rev)
	}
	call := admin.Call{Verb: e.Verb, Key: e.Key}
	if e.Verb != havoc.Delete {
		call.Object = json.RawMessage(e.Value)
	}
	r := s.admin.Do(ctx, call)
	if err := r.Err(); err != nil {
		return fmt.Sprintf("answered %d", r.Status), err.Error()
	}
	return "taken", fmt.Sprintf("%d, revision %d", r.Status, r.Rev)
}

// straight makes an edit at the first member that takes it.
func (s *storm) straight(ctx context.Context, e havoc.Edit) (rev int64, err error) {
	for _, ref := range s.do.Options.Members {
		var n *lab.Node
		if n, err = s.Node(ref); err != nil {
			return 0, err
		}
		if e.Verb == havoc.Delete {
			rev, err = n.Etcd().Delete(ctx, objectsPrefix+e.Key)
		} else {
			rev, err = n.Etcd().Put(ctx, objectsPrefix+e.Key, e.Bytes())
		}
		if err == nil {
			return rev, nil
		}
	}
	return 0, err
}

// during breaks something, has things happen, and mends it.
func (s *storm) during(ctx context.Context, f fault.Fault, happen func() error) error {
	a, err := s.Lab.Inject(ctx, f)
	if err != nil {
		return err
	}
	if err := happen(); err != nil {
		return err // what is broken is mended with the lab
	}
	return a.Heal(ctx)
}

// suffer carries out a fault.
func (s *storm) suffer(ctx context.Context, f havoc.Fault) error {
	passes := func() error { return pass(ctx, f.For) }
	switch f.Kind {
	case havoc.Cut:
		return s.cut(ctx, f.On, func() error { return pass(ctx, f.For) })
	case havoc.Lose:
		return s.during(ctx, fault.Kill{On: topology.Selector(f.On[0]), Process: topology.ProcEtcd}, passes)
	case havoc.Freeze:
		return s.during(ctx, fault.Freeze{On: topology.Selector(f.On[0]), Process: topology.ProcEtcd}, passes)
	case havoc.Restart:
		return s.restart(ctx, f.On[0])
	case havoc.Replace:
		return s.cut(ctx, f.Cut, func() error {
			over := time.Now().Add(deaf)
			if err := s.during(ctx, fault.EtcdReplace{On: f.On[0]}, passes); err != nil {
				return err
			}
			return pass(ctx, time.Until(over))
		})
	case havoc.Away:
		return s.during(ctx, fault.EtcdBackup{Region: s.region}, func() error { return s.withoutStore(ctx, f.On[0]) })
	case havoc.Restore:
		return s.during(ctx, fault.EtcdRestore{Region: s.region}, func() error { return nil })
	}
	return fmt.Errorf("no fault %q", f.Kind)
}

// pass lets some time pass.
func pass(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// deaf is how long a gateway must be cut off to take its connections for lost: what it
// missed comes late on those that it keeps, compacted or not.
const deaf = 6 * time.Second

// cut takes gateways from the store while things happen, and has the store forget what
// they miss.
func (s *storm) cut(ctx context.Context, gateways []topology.Ref, happen func() error) error {
	var cuts []*fault.Active
	for _, gw := range gateways {
		a, err := s.Lab.Inject(ctx, fault.Partition{A: topology.Selector(gw), B: topology.Selector(s.region + "/*/etcd-*")})
		if err != nil {
			return err
		}
		cuts = append(cuts, a)
	}
	if err := happen(); err != nil {
		return err
	}
	if _, err := s.Lab.Inject(ctx, fault.EtcdCompact{Region: s.region}); err != nil {
		return err
	}
	return fault.HealAll(ctx, cuts)
}

// kept waits until the gateway has written down what was there before the havoc: it
// need not at each change.
func (s *storm) kept(ctx context.Context, gw topology.Ref) error {
	ctx, cancel := context.WithTimeoutCause(ctx, Bound, fmt.Errorf("not within %s", Bound))
	defer cancel()
	return poll(ctx, func() error {
		var a struct {
			LastGood struct {
				Revisions map[string]int64 `json:"revisions"`
			} `json:"last_good"`
		}
		if err := s.status(ctx, gw, "/status/config", &a); err != nil {
			return err
		}
		if rev := a.LastGood.Revisions[objectsPrefix]; rev < s.before {
			return fmt.Errorf("%s has kept revision %d, want at least %d, from before the havoc", gw, rev, s.before)
		}
		return nil
	})
}

func (s *storm) restart(ctx context.Context, gw topology.Ref) error {
	return s.during(ctx, fault.Kill{On: topology.Selector(gw), Process: topology.ProcGateway}, func() error { return nil })
}

// withoutStore is what must be true while no member of the store runs.
func (s *storm) withoutStore(ctx context.Context, gw topology.Ref) error {
	for _, call := range []admin.Call{{Verb: admin.Get, Key: "/routes/" + s.do.Site.Name}, {Verb: admin.Delete, Key: "/routes/nobody"}} {
		r := s.admin.Do(ctx, call)
		var why struct {
			Text string `json:"error_msg"`
		}
		_ = json.Unmarshal(r.Body, &why) // no JSON: no reason
		took := r.Return - r.Call
		if r.Status != http.StatusServiceUnavailable || why.Text == "" || took > refusalLimit {
			return fmt.Errorf("%s %s without a store: got %d %.200q after %s, want 503 with a reason within %s", call.Verb, call.Key, r.Status, r.Body, took.Round(time.Millisecond), refusalLimit)
		}
		s.Note("havoc", "%s without a store: 503 after %s: %s", call.Verb, took.Round(time.Millisecond), why.Text)
	}
	if err := s.kept(ctx, gw); err != nil {
		return err
	}
	if err := s.restart(ctx, gw); err != nil {
		return fmt.Errorf("start %s without a store: %w", gw, err)
	}
	ask, err := s.asker(gw)
	if err != nil {
		return err
	}
	defer ask.close()
	if got := ask.do(ctx, havoc.Question{Host: s.do.Site.Host, Path: "/"}); !slices.Contains(s.do.Site.Backends(), got.Backend()) {
		return fmt.Errorf("%s, started without a store: %s got %s, want one of %v", gw, s.do.Site.Host, gotten(got), s.do.Site.Backends())
	}
	return nil
}
