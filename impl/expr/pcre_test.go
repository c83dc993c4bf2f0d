package expr

import "testing"

func TestDollarIsBeforeALineFeedAtTheEndToo(t *testing.T) {
	for _, tc := range []struct {
		pattern, text string
		want          bool
	}{
		{`^abc$`, "abc", true}, {`^abc$`, "abc\n", true}, {`^abc$`, "abc\n\n", false}, {`^abc$`, "abc\nx", false}, {`^abc$`, "abcd", false},
		{`^abc\z`, "abc\n", false}, {`^abc\z`, "abc", true}, {`(?m)^abc$`, "abc\nx", true}, {`^(?:a$|b)c?$`, "a\n", true}, {`^(?:a$|b)c?$`, "bc\n", true},
		{`^a[$]$`, "a$\n", true}, {`^a\$$`, "a$", true}, {`^a\$$`, "a", false}, {`^$`, "\n", true}, {`^$`, "", true}, {`(?i)^ABC$`, "abc\n", true},
		{`^(?!x)abc$`, "abc\n", true}, // by the other library
	} {
		found, err := Search(tc.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := found(tc.text); got != tc.want {
			t.Errorf("%s in %q: %t, want %t", tc.pattern, tc.text, got, tc.want)
		}
	}
}
