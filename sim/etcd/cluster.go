package etcd

import (
	"context"
	"fmt"
	"slices"
	"strconv"
)

// A Peer is a member as the cluster lists it.
type Peer struct {
	ID   uint64   // raft's
	Name string   // "" until the member has been started
	URLs []string // where the others reach it
}

// Peers are the members of the cluster.
func (m *Member) Peers(ctx context.Context) ([]Peer, error) {
	var a struct {
		Members []struct {
			ID   uint64   `json:"ID,string"`
			Name string   `json:"name"`
			URLs []string `json:"peerURLs"`
		} `json:"members"`
	}
	if err := m.call(ctx, "/v3/cluster/member/list", struct{}{}, &a); err != nil {
		return nil, err
	}
	out := make([]Peer, 0, len(a.Members))
	for _, p := range a.Members {
		out = append(out, Peer(p))
	}
	return out, nil
}

// AddPeer tells the cluster of a member that will be started at the URL. It does
// nothing when there is one.
func (m *Member) AddPeer(ctx context.Context, url string) error {
	peers, err := m.Peers(ctx)
	if err != nil || slices.ContainsFunc(peers, func(p Peer) bool { return slices.Contains(p.URLs, url) }) {
		return err
	}
	var a struct{}
	return m.call(ctx, "/v3/cluster/member/add", map[string][]string{"peerURLs": {url}}, &a)
}

// RemovePeer takes the member at the URL out of the cluster for good. It does
// nothing when there is none.
func (m *Member) RemovePeer(ctx context.Context, url string) error {
	peers, err := m.Peers(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(peers, func(p Peer) bool { return slices.Contains(p.URLs, url) })
	if i < 0 {
		return nil
	}
	var a struct{}
	if err := m.call(ctx, "/v3/cluster/member/remove", map[string]string{"ID": strconv.FormatUint(peers[i].ID, 10)}, &a); err != nil {
		return fmt.Errorf("remove member %s: %w", url, err)
	}
	return nil
}
