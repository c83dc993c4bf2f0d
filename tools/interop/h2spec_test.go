package main

import (
	"fmt"
	"testing"
)

func TestReportOfAJudgeIsCounted(t *testing.T) {
	r, err := readJUnit([]byte(`<?xml version="1.0"?><testsuites>
<testsuite package="http2/3.5" tests="2"><testcase classname="sends a preface"></testcase><testcase classname="sends none"><failure>closed</failure></testcase></testsuite>
<testsuite package="hpack/2" tests="2"><testcase classname="a"><skipped></skipped></testcase><testcase classname="b"><error>x</error></testcase></testsuite></testsuites>`))
	if err != nil || r.Passed != 1 || r.Total != 4 || fmt.Sprint(r.Failed) != "[http2/3.5: sends none hpack/2: a hpack/2: b]" {
		t.Errorf("%+v %v", r, err)
	}
	if r, err := readJUnit([]byte("145 tests, 145 passed")); err == nil {
		t.Errorf("something else is %+v, want an error", r)
	}
}
