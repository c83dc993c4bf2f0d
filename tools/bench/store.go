package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// What the driver asks of etcd goes by its JSON gateway: no client library is needed
// to write a few thousand keys. Keys and values are base64 there, as []byte is.

type keyValue struct {
	Key   []byte `json:"key"`
	Value []byte `json:"value,omitempty"`
}

// key reads one key.
func (c *control) key(ctx context.Context, key string) ([]byte, error) {
	var a struct{ KVs []keyValue }
	if err := c.askStore(ctx, "range", keyValue{Key: []byte(key)}, &a); err != nil {
		return nil, err
	}
	if len(a.KVs) != 1 {
		return nil, fmt.Errorf("etcd holds %d keys %s, want 1", len(a.KVs), key)
	}
	return a.KVs[0].Value, nil
}

// putKeys writes keys in one transaction and returns its revision.
func (c *control) putKeys(ctx context.Context, puts map[string][]byte) (int64, error) {
	type op struct {
		Put keyValue `json:"request_put"`
	}
	var ops []op
	for k, v := range puts {
		ops = append(ops, op{keyValue{[]byte(k), v}})
	}
	var a struct {
		Header struct {
			Revision int64 `json:"revision,string"`
		}
	}
	err := c.askStore(ctx, "txn", map[string]any{"success": ops}, &a)
	if err == nil && a.Header.Revision == 0 {
		err = fmt.Errorf("etcd took %d keys and told no revision", len(puts))
	}
	return a.Header.Revision, err
}

func (c *control) askStore(ctx context.Context, what string, question, answer any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.etcd+"/v3/kv/"+what, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask etcd for %s: %w", what, err)
	}
	defer resp.Body.Close()
	const most = 1 << 20
	said, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return fmt.Errorf("ask etcd for %s: %w", what, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("ask etcd for %s: %s: %.300q", what, resp.Status, said)
	}
	return json.Unmarshal(said, answer)
}
