package main

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

func TestReportOfConnectIsCounted(t *testing.T) {
	r, err := readConnect([]byte("Computed 3\nFAILED: Basic/HTTPVersion:1/unary/success:\n\texpecting 1\nTotal cases: 3\n2 passed, 1 failed\n"))
	if err != nil || r.Passed != 2 || r.Total != 3 || fmt.Sprint(r.Failed) != "[Basic/HTTPVersion:1/unary/success]" {
		t.Errorf("%+v %v", r, err)
	}
	// One that was known to fail has not passed.
	if r, err := readConnect([]byte("Total cases: 3\n2 passed, 0 failed\n(1 failed as expected due to being known failures.)\n")); err != nil || r.Passed != 2 || r.Total != 3 {
		t.Errorf("%+v %v", r, err)
	}
	if r, err := readConnect([]byte("1900 of 1900")); err == nil {
		t.Errorf("something else is %+v, want an error", r)
	}
}

func TestFieldsOfMessagesAreFound(t *testing.T) {
	m := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "127.0.0.1")
	m = protowire.AppendVarint(protowire.AppendTag(m, 2, protowire.VarintType), 8080)
	if n, err := number(m, 2); err != nil || n != 8080 {
		t.Errorf("port %d %v", n, err)
	}
	// What is appended holds: so a request is changed.
	if n, err := number(protowire.AppendVarint(protowire.AppendTag(m, 2, protowire.VarintType), 2), 2); err != nil || n != 2 {
		t.Errorf("the last port is %d %v", n, err)
	}
	if n, err := number(m, 4); err != nil || n != 0 {
		t.Errorf("a field that is not there: %d %v", n, err)
	}
	if n, err := number(m[:len(m)-1], 2); err == nil {
		t.Errorf("half a message has %d", n)
	}
}
