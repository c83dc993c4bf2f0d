package main

import (
	"context"
	"log/slog"
	"testing"

	"github.com/unilb/unilb/impl/admin"
	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/store"
)

// complete is an etcd that has every placeholder.
type complete struct{ admin.Store }

func (complete) Get(context.Context, string) (store.KV, bool, int64, error) {
	return store.KV{}, true, 1, nil
}

func TestStartThatEndsAfterSIGTERMLeavesTheNodeDraining(t *testing.T) {
	api, err := admin.New(admin.Options{Store: complete{}})
	if err != nil {
		t.Fatal(err)
	}
	for before, want := range map[node.State]node.State{node.Starting: node.Serving, node.Draining: node.Draining} {
		n := node.New(node.Registration{}, nil, node.Options{})
		n.SetState(before)
		begin(t.Context(), api, n, slog.New(slog.DiscardHandler))
		if got := n.State(); got != want {
			t.Errorf("from %s: got %s, want %s", before, got, want)
		}
	}
}
