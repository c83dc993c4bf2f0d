//go:build netns

package lab_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/etcd"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Topologies with a store and the gateway that every region must have, which does
// not run here.
const (
	threeMembers = `
lab: store
regions:
  bj:
    azs: {az1: {l7: 1}, az2: {}, az3: {}}
    etcd: {members: {e1: az1, e2: az2, e3: az3}}
clients: [{name: inet}]
`
	threeImpairable = `
lab: store
regions:
  bj:
    azs: {az1: {l7: 1}, az2: {}, az3: {}}
    etcd: {members: {e1: az1, e2: az2, e3: az3}, disk: {impairable: true}}
clients: [{name: inet}]
`
	oneMember = `
lab: store
regions:
  bj:
    azs: {az1: {l7: 1}}
    etcd: {members: {e1: az1}}
clients: [{name: inet}]
`
	oneImpairable = `
lab: store
regions:
  bj:
    azs: {az1: {l7: 1}}
    etcd: {members: {e1: az1}, disk: {impairable: true}}
clients: [{name: inet}]
`
)

// etcdBinary builds the real server, once for all tests of the package. It
// vanishes with the sandbox.
var etcdBinary = sync.OnceValues(func() (dir string, err error) {
	dir = filepath.Join(sandbox.Dir, "bin")
	cmd := exec.Command("go", "build", "-o", dir+"/", "github.com/unilb/unilb/cmd/unilb-etcd")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build unilb-etcd: %w\n%s", err, out)
	}
	return dir, nil
})

// A store is a lab with etcd members, seen by a client elsewhere.
type store struct {
	t     testing.TB
	lab   *lab.Lab
	nodes []topology.Node // the members
	from  *lab.Node       // the client
}

func upStore(t testing.TB, text string) *store {
	t.Helper()
	sandbox.Require(t, sandbox.CapNetNS)
	bin, err := etcdBinary()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "topology.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	spec, err := topology.Load(os.DirFS(filepath.Dir(file)), filepath.Base(file))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := spec.Plan()
	if err != nil {
		t.Fatal(err)
	}
	for i := range plan.Nodes {
		if plan.Nodes[i].Kind != topology.KindEtcd {
			plan.Nodes[i].Processes = nil
		}
	}
	within, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	l, err := lab.Up(within, plan, lab.Options{BinDir: bin, Dir: t.TempDir(),
		Progress: func(s lab.Step) { t.Logf("%-8s %s (%v)", s.Name, s.Text, s.Took) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Down(context.Background()); err != nil {
			t.Error(err)
		}
	})
	s := &store{t: t, lab: l, from: l.Select("client/*")[0]}
	for _, n := range plan.OfKind(topology.KindEtcd) {
		s.nodes = append(s.nodes, *n)
	}
	return s
}

func (s *store) at(member int) netip.AddrPort {
	return netip.AddrPortFrom(s.nodes[member].Underlay, topology.EtcdClientPort)
}

// member asks the member from the client.
func (s *store) member(i int) *etcd.Member { return etcd.New(s.from, s.at(i)) }

// index is the number of the member with the ref.
func (s *store) index(ref topology.Ref) int {
	s.t.Helper()
	for i, n := range s.nodes {
		if n.Ref == ref {
			return i
		}
	}
	s.t.Fatalf("no member %s", ref)
	return -1
}

// put writes a key through a member.
func (s *store) put(member int, key, value string, patience time.Duration) error {
	body, err := json.Marshal(map[string][]byte{"key": []byte(key), "value": []byte(value)})
	if err != nil {
		return err
	}
	resp, err := s.post(member, "/v3/kv/put", body, patience)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, answer)
	}
	return err
}

func (s *store) post(member int, path string, body []byte, patience time.Duration) (*http.Response, error) {
	return traffic.HTTP(s.from, patience).Post("http://"+s.at(member).String()+path, "application/json", bytes.NewReader(body))
}

const patient = 20 * time.Second // generous: the machine may be busy

// mustPut writes through a member and wants it to work.
func (s *store) mustPut(when string, member int, key, value string) {
	s.t.Helper()
	if err := s.put(member, key, value, patient); err != nil {
		s.t.Fatalf("%s: put through %s: %v", when, s.nodes[member].Ref, err)
	}
}

// get reads a key through a member; "" when it is not there.
func (s *store) get(member int, q etcd.Query) (string, error) {
	a, err := s.member(member).Range(s.t.Context(), q)
	if err != nil || len(a.KVs) == 0 {
		return "", err
	}
	return string(a.KVs[0].Value), nil
}

// watch returns the first answers of a watch that begins at a revision.
func (s *store) watch(member int, revision int64) string {
	s.t.Helper()
	body := fmt.Sprintf(`{"create_request":{"key":"AA==","range_end":"AA==","start_revision":"%d"}}`, revision)
	resp, err := s.post(member, "/v3/watch", []byte(body), patient)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	answers := json.NewDecoder(resp.Body)
	var text []string
	for range 2 { // created; then what happened, or that it ends
		var one json.RawMessage
		if err := answers.Decode(&one); err != nil {
			break
		}
		text = append(text, string(one))
	}
	return strings.Join(text, " ")
}

func (s *store) inject(f fault.Fault) *fault.Active {
	s.t.Helper()
	c, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	a, err := s.lab.Inject(c, f)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

func (s *store) heal(a *fault.Active) {
	s.t.Helper()
	c, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	for range 2 { // once is enough, twice no harm
		if err := a.Heal(c); err != nil {
			s.t.Fatal(err)
		}
	}
}

func on(ref topology.Ref) topology.Selector { return topology.Selector(ref) }
