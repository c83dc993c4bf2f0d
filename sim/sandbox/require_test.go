package sandbox

import (
	"errors"
	"fmt"
	"testing"
)

// told keeps what a test would be told.
type told struct{ how, what string }

func (*told) Helper()                        {}
func (t *told) Skipf(f string, args ...any)  { t.how, t.what = "skip", fmt.Sprintf(f, args...) }
func (t *told) Fatalf(f string, args ...any) { t.how, t.what = "fail", fmt.Sprintf(f, args...) }

func TestOnlyWhatIsDemandedByNameFailsWhenItLacks(t *testing.T) {
	lacks := errors.New("not here")
	for _, tc := range []struct {
		demanded string
		err      error
		want     told
	}{
		{"", nil, told{}},
		{"nginx", nil, told{}},
		{"", lacks, told{"skip", "machine lacks nginx: not here"}},
		{"netns,nginx-quic", lacks, told{"skip", "machine lacks nginx: not here"}},
		{"netns,nginx", lacks, told{"fail", "machine lacks nginx, which LBSIM_REQUIRE demands: not here"}},
	} {
		t.Setenv("LBSIM_REQUIRE", tc.demanded)
		var got told
		if Need(&got, "nginx", tc.err); got != tc.want {
			t.Errorf("LBSIM_REQUIRE=%s, %v: got %+v, want %+v", tc.demanded, tc.err, got, tc.want)
		}
	}
}
