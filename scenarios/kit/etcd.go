//go:build scenarios

package kit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// ask calls one etcd member by its JSON gateway, from the edge router: the
// kit only reads, and needs no client library for that.
func (r *Region) ask(ctx context.Context, member topology.Node, path string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	at := netip.AddrPortFrom(member.Underlay, topology.EtcdClientPort)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+at.String()+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	resp, err := traffic.HTTP(r.from(topology.KindEdge), 3*time.Second).Do(req)
	if err != nil {
		return fmt.Errorf("ask %s: %w", member.Ref, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("ask %s: %s", member.Ref, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

func (r *Region) members() []topology.Node {
	var out []topology.Node
	for _, n := range r.Plan.Nodes {
		if n.Kind == topology.KindEtcd {
			out = append(out, n)
		}
	}
	return out
}

// EtcdLeader is the etcd member that leads now.
func EtcdLeader(ctx context.Context, r *Region) topology.Selector {
	GinkgoHelper()
	var leader topology.Ref
	Eventually(ctx, func(g Gomega) {
		leader = ""
		for _, m := range r.members() {
			var status struct {
				Header struct {
					Member string `json:"member_id"`
				} `json:"header"`
				Leader string `json:"leader"`
			}
			g.Expect(r.ask(ctx, m, "/v3/maintenance/status", struct{}{}, &status)).To(Succeed())
			if status.Leader == status.Header.Member {
				leader = m.Ref
			}
		}
		g.Expect(leader).NotTo(BeEmpty(), "no member leads")
	}).WithTimeout(Bound).WithPolling(100 * time.Millisecond).Should(Succeed())
	return topology.Selector(leader)
}

// values reads everything below a prefix.
func (r *Region) values(ctx context.Context, prefix string) ([][]byte, error) {
	end := []byte(prefix)
	end[len(end)-1]++
	var answer struct {
		KVs []struct {
			Value []byte `json:"value"`
		} `json:"kvs"`
	}
	question := struct {
		Key []byte `json:"key"`
		End []byte `json:"range_end"`
	}{[]byte(prefix), end}
	err := fmt.Errorf("the topology has no etcd")
	for _, m := range r.members() {
		if err = r.ask(ctx, m, "/v3/kv/range", question, &answer); err == nil {
			break
		}
	}
	var out [][]byte
	for _, kv := range answer.KVs {
		out = append(out, kv.Value)
	}
	return out, err
}
