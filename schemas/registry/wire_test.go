package registry

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

var someGUID = [16]byte{0x89, 0x79, 0x10, 0x32, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0xff}

func TestParse(t *testing.T) {
	guid := append([]byte{1}, someGUID[:]...)
	number := []byte{0, 0, 0, 1, 2}
	body := []byte("body")
	with := func(prefix []byte) []byte { return append(bytes.Clone(prefix), body...) }
	for _, test := range []struct {
		name          string
		header, value []byte
		id            ID
		rest          []byte
		framing       Framing
		err           error
	}{
		{"number in front", nil, with(number), Number(258), body, Prefixed, nil},
		{"number and nothing else", nil, number, Number(258), nil, Prefixed, nil},
		{"largest number", nil, []byte{0, 255, 255, 255, 255}, Number(1<<32 - 1), nil, Prefixed, nil},
		{"GUID in front", nil, with(guid), GUID(someGUID), body, Prefixed, nil},
		{"GUID in the header", guid, body, GUID(someGUID), body, Headed, nil},
		{"number in the header", number, body, Number(258), body, Headed, nil},
		{"the header wins", guid, with(number), GUID(someGUID), with(number), Headed, nil},
		{"header, tombstone", guid, nil, GUID(someGUID), nil, Headed, nil},
		{"JSON", nil, []byte(`{"a":1}`), ID{}, []byte(`{"a":1}`), Unframed, nil},
		{"tombstone", nil, nil, ID{}, nil, Unframed, nil},
		{"number cut off", nil, number[:4], ID{}, number[:4], Unframed, nil},
		{"GUID cut off", nil, guid[:16], ID{}, guid[:16], Unframed, nil},
		{"another magic", nil, []byte{2, 0, 0, 0, 1, 0}, ID{}, []byte{2, 0, 0, 0, 1, 0}, Unframed, nil},
		{"empty header", []byte{}, with(number), ID{}, with(number), Unframed, ErrHeader},
		{"header cut off", guid[:16], with(number), ID{}, with(number), Unframed, ErrHeader},
		{"header too long", with(guid), body, ID{}, body, Unframed, ErrHeader},
		{"header as text", []byte("17"), body, ID{}, body, Unframed, ErrHeader},
	} {
		t.Run(test.name, func(t *testing.T) {
			id, rest, framing, err := Parse(test.header, test.value)
			if id != test.id || !bytes.Equal(rest, test.rest) || framing != test.framing || !errors.Is(err, test.err) {
				t.Errorf("got %v %q %v %v", id, rest, framing, err)
			}
		})
	}
}

// What AppendPrefix writes, Parse reads, in both places.
func TestPrefixRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := Number(rapid.Uint32().Draw(t, "number"))
		if rapid.Bool().Draw(t, "guid") {
			id = GUID([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes")))
		}
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		framed := append(AppendPrefix(nil, id), body...)
		if got, rest, framing, err := Parse(nil, framed); got != id || !bytes.Equal(rest, body) || framing != Prefixed || err != nil {
			t.Fatalf("in front: %v %v %v %v", got, rest, framing, err)
		}
		if got, rest, framing, err := Parse(AppendPrefix(nil, id), body); got != id || !bytes.Equal(rest, body) || framing != Headed || err != nil {
			t.Fatalf("in the header: %v %v %v %v", got, rest, framing, err)
		}
	})
}

func TestID(t *testing.T) {
	if s := GUID(someGUID).String(); s != "89791032-0001-0203-0405-060708090aff" {
		t.Error(s)
	}
	if s := Number(1<<32 - 1).String(); s != "4294967295" {
		t.Error(s)
	}
	if s := (ID{}).String(); s != "none" || !(ID{}).IsZero() || Number(0).IsZero() || GUID([16]byte{}).IsZero() {
		t.Error(s)
	}
	if Number(0) == GUID([16]byte{}) || Number(0) == (ID{}) {
		t.Error("different ids are equal")
	}
	if got := AppendPrefix([]byte("x"), ID{}); string(got) != "x" {
		t.Errorf("%q", got)
	}
}

// Parse runs for every record.
func TestParseAllocatesNothing(t *testing.T) {
	value := append([]byte{1}, someGUID[:]...)
	if n := testing.AllocsPerRun(100, func() { _, _, _, _ = Parse(nil, value) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
