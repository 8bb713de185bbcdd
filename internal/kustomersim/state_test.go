package kustomersim

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mergeTests are two changes of one message and what they leave behind, by
// what the org is assumed to do.
var mergeTests = []struct {
	name        string
	opts        Options
	first, then string
	want        map[string]string
}{
	{
		"members absent stay",
		Options{},
		`"subject":"a","lang":"en"`, `"subject":"b"`,
		map[string]string{"subject": `"b"`, "lang": `"en"`},
	},
	{
		"null is a value",
		Options{},
		`"subject":"a","custom":{"xStr":"1"}`, `"subject":null,"custom":{"xStr":null}`,
		map[string]string{"subject": `null`, "custom.xStr": `null`},
	},
	{
		"custom by key",
		Options{},
		`"custom":{"aStr":"1","bNum":2}`, `"custom":{"bNum":3,"cBool":true}`,
		map[string]string{"custom.aStr": `"1"`, "custom.bNum": `3`, "custom.cBool": `true`},
	},
	{
		"custom replaced",
		Options{CustomReplaces: true},
		`"lang":"en","custom":{"aStr":"1","bNum":2}`, `"custom":{"bNum":3}`,
		map[string]string{"lang": `"en"`, "custom.bNum": `3`},
	},
	{
		"no custom replaces nothing",
		Options{CustomReplaces: true},
		`"custom":{"aStr":"1"}`, `"lang":"en"`,
		map[string]string{"lang": `"en"`, "custom.aStr": `"1"`},
	},
	{
		"custom null",
		Options{AllowNull: true},
		`"lang":"en","custom":{"aStr":"1"}`, `"custom":null`,
		map[string]string{"lang": `"en"`},
	},
	{
		"objects replaced",
		Options{},
		`"meta":{"a":{"x":1},"b":2}`, `"meta":{"a":{"y":3}}`,
		map[string]string{"meta": `{"a":{"y":3}}`},
	},
	{
		"objects merged",
		Options{DeepMerge: true},
		`"meta":{"a":{"x":1},"b":2,"c":[1]}`, `"meta":{"a":{"y\"":3},"b":{"z":4},"c":[2]}`,
		map[string]string{"meta": `{"a":{"x":1,"y\"":3},"b":{"z":4},"c":[2]}`},
	},
	{
		"audit ignored",
		Options{Audit: AuditIgnore},
		`"createdAt":"2026-11-24T02:30:00Z","lang":"en"`, `"modifiedBy":null`,
		map[string]string{"lang": `"en"`},
	},
	{
		"values as they stood",
		Options{},
		`"size": 1.50e2 ,"subject":"\u00e9"`, `"meta":{ "a" : 1 }`,
		map[string]string{"size": `1.50e2`, "subject": `"\u00e9"`, "meta": `{ "a" : 1 }`},
	},
}

func TestMerge(t *testing.T) {
	for _, tt := range mergeTests {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, tt.opts)
			for _, members := range []string{tt.first, tt.then} {
				put(t, s, `{"id":"m",`+members+`}`)
				quiesce(t, s)
			}
			if diff := cmp.Diff(tt.want, fields(t, s, "m")); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMessageUnknown(t *testing.T) {
	s := start(t, Options{Script: &Script{NeverEnd: 1}})
	put(t, s, subject("accepted", "x"))
	for _, id := range []string{"accepted", "unheard"} {
		if got, ok := s.Message(id); ok {
			t.Errorf("message %s has state %v", id, got)
		}
	}
}

func TestStamp(t *testing.T) {
	tests := []struct {
		value string
		want  uint64
		ok    bool
	}{
		{`"x #12"`, 12, true},
		{`"#0"`, 0, true},
		{`"#1#23"`, 23, true},
		{`"#"`, 0, false},
		{`"12"`, 0, false},
		{`"#12 "`, 0, false},
		{`""`, 0, false},
		{`"#99999999999999999999"`, 0, false},
		{`12`, 0, false},
		{`null`, 0, false},
		{`{"a":"#1"}`, 0, false},
	}
	for _, tt := range tests {
		got, ok := stampOf(&write{name: []byte("subject"), value: []byte(tt.value)}, false)
		if got != tt.want || ok != tt.ok {
			t.Errorf("stamp of %s: %d, %t; want %d, %t", tt.value, got, ok, tt.want, tt.ok)
		}
	}
}
