// SPDX-License-Identifier: GPL-2.0
/*
 * UTF-8 and UTF-16: MultiByteToWideChar() and WideCharToMultiByte(), lstrlen()
 */
#include "kselftest_harness.h"

#include "file_fixture.h"

#define ROOM 32

/* What @from becomes is @to; both end with a zero, which is converted, too. */
static bool widens(const char *from, const WCHAR *to, int units)
{
	WCHAR buffer[ROOM];
	int n;

	n = MultiByteToWideChar(CP_UTF8, 0, from, -1, NULL, 0);
	if (n != units + 1)
		return false;
	memset(buffer, 0xcc, sizeof(buffer));
	n = MultiByteToWideChar(CP_UTF8, 0, from, -1, buffer, n);
	return n == units + 1 && buffer[n] == 0xcccc &&
	       !memcmp(buffer, to, n * sizeof(*to));
}

static bool narrows(const WCHAR *from, const char *to)
{
	char buffer[ROOM];
	int n = WideCharToMultiByte(CP_UTF8, 0, from, -1, NULL, 0, NULL, NULL);

	if (n != (int)strlen(to) + 1)
		return false;
	memset(buffer, 0xcc, sizeof(buffer));
	n = WideCharToMultiByte(CP_UTF8, 0, from, -1, buffer, n, NULL, NULL);
	return n == (int)strlen(to) + 1 && buffer[n] == (char)0xcc &&
	       !strcmp(buffer, to);
}

static bool is_refused(const char *from)
{
	WCHAR buffer[ROOM];

	return FAILS_WITH(ERROR_NO_UNICODE_TRANSLATION,
			  MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS,
					      from, -1, buffer, ROOM));
}

/* Rules: STRING-01, STRING-04. */
TEST(both_ways)
{
	static const struct {
		const char *narrow;
		const WCHAR *wide;
	} texts[] = {
		{ "", W("") },
		{ "plain", W("plain") },
		{ "\x7f\xc2\x80\xdf\xbf", W("\x7f\x80\x7ff") },
		{ "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf",
		  W("\x800\xd7ff\xe000\xffff") },
		{ "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
		  W("\xd800\xdc00\xdbff\xdfff") },
		{ "gr\xc3\xbc\xc3\x9f\xf0\x9f\x99\x82",
		  W("gr\xfc\xdf\xd83d\xde42") },
	};
	size_t i;
	int n;

	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		for (n = 0; texts[i].wide[n]; n++)
			;
		EXPECT_TRUE(widens(texts[i].narrow, texts[i].wide, n)) {
			TH_LOG("text %zu", i);
		}
		EXPECT_TRUE(narrows(texts[i].wide, texts[i].narrow)) {
			TH_LOG("text %zu", i);
		}
	}
}

/* Rules: STRING-01. Every code point comes back. */
TEST(every_character)
{
	uint32_t c, back;
	WCHAR wide[2];
	char narrow[4];
	int n, m;

	for (c = 1; c < 0x110000; c++) {
		if (c >= 0xd800 && c < 0xe000)
			continue;
		n = c < 0x10000 ? 1 : 2;
		wide[0] = n == 1 ? c : 0xd7c0 + (c >> 10);
		wide[1] = 0xdc00 + (c & 0x3ff);
		m = WideCharToMultiByte(CP_ACP, WC_ERR_INVALID_CHARS, wide, n,
					narrow, 4, NULL, NULL);
		ASSERT_EQ(c < 0x80 ? 1 : c < 0x800 ? 2 : n + 2, m);
		wide[0] = 0;
		ASSERT_EQ(n, MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS,
						 narrow, m, wide, 2));
		back = n == 1 ? wide[0] : ((wide[0] - 0xd7c0U) << 10) +
						  (wide[1] - 0xdc00U);
		ASSERT_EQ(c, back);
	}
}

/* Rules: STRING-02, STRING-03, STRING-07, STRING-10. */
TEST(bad_arguments)
{
	static const UINT pages[] = { CP_ACP, CP_OEMCP, CP_THREAD_ACP, CP_UTF8 };
	static const UINT others[] = { CP_MACCP, CP_UTF7, 1252, 437, 4711 };
	WCHAR wide[ROOM];
	char narrow[ROOM];
	BOOL used;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		EXPECT_EQ(2, MultiByteToWideChar(pages[i], 0, "x", -1, wide, 2));
		EXPECT_EQ(2, WideCharToMultiByte(pages[i], 0, W("x"), -1, narrow,
						 2, NULL, NULL));
	}
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     MultiByteToWideChar(others[i], 0, "x", -1, wide, 2));
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     WideCharToMultiByte(others[i], 0, W("x"), -1,
						 narrow, 2, NULL, NULL));
	}
#define WIDEN(...) MultiByteToWideChar(CP_UTF8, __VA_ARGS__)
#define NARROW(...) WideCharToMultiByte(CP_UTF8, __VA_ARGS__, NULL, NULL)
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, WIDEN(0, NULL, -1, wide, 2));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, WIDEN(0, "x", 0, wide, 2));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, WIDEN(0, "x", 1, wide, -1));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, WIDEN(0, "x", 1, NULL, 1));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     WIDEN(0, (char *)wide, 1, wide, 1));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, NARROW(0, NULL, -1, narrow, 2));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, NARROW(0, W("x"), 0, narrow, 2));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, NARROW(0, W("x"), 1, narrow, -1));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER, NARROW(0, W("x"), 1, NULL, 1));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     NARROW(0, wide, 1, (char *)wide, 1));
	EXPECT_FAILS(ERROR_INVALID_FLAGS, WIDEN(1, "x", 1, wide, 1));
	EXPECT_FAILS(ERROR_INVALID_FLAGS, NARROW(1, W("x"), 1, narrow, 1));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     WideCharToMultiByte(CP_UTF8, 0, W("x"), 1, narrow, 1, "?",
					 NULL));
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     WideCharToMultiByte(CP_UTF8, 0, W("x"), 1, narrow, 1, NULL,
					 &used));
}

/* Rules: STRING-04, STRING-05, STRING-06. */
TEST(sizes)
{
	WCHAR wide[ROOM];
	char narrow[ROOM];

	memset(wide, 0xcc, sizeof(wide));
	EXPECT_EQ(2, WIDEN(0, "xyz", 2, wide, ROOM));
	EXPECT_EQ('y', wide[1]);
	EXPECT_EQ(0xcccc, wide[2]);
	EXPECT_EQ(4, WIDEN(0, "xyz", -1, NULL, 0));
	EXPECT_EQ(4, WIDEN(0, "xyz", -1, wide, 0));
	EXPECT_EQ(4, WIDEN(0, "xyz", 4, wide, 4));
	EXPECT_FAILS(ERROR_INSUFFICIENT_BUFFER, WIDEN(0, "xyz", -1, wide, 3));
	/* Half a pair has no place either. */
	EXPECT_FAILS(ERROR_INSUFFICIENT_BUFFER,
		     WIDEN(0, "\xf0\x9f\x99\x82", 4, wide, 1));
	EXPECT_EQ(2, WIDEN(0, "\xf0\x9f\x99\x82", 4, wide, 2));

	memset(narrow, 0xcc, sizeof(narrow));
	EXPECT_EQ(2, NARROW(0, W("xyz"), 2, narrow, ROOM));
	EXPECT_EQ('y', narrow[1]);
	EXPECT_EQ((char)0xcc, narrow[2]);
	EXPECT_EQ(4, NARROW(0, W("xyz"), -1, NULL, 0));
	EXPECT_FAILS(ERROR_INSUFFICIENT_BUFFER,
		     NARROW(0, W("xyz"), -1, narrow, 3));
	EXPECT_FAILS(ERROR_INSUFFICIENT_BUFFER,
		     NARROW(0, W("\xd83d\xde42"), 2, narrow, 3));
	EXPECT_EQ(4, NARROW(0, W("\xd83d\xde42"), 2, narrow, 4));
}

/* Rules: STRING-08, STRING-09. */
TEST(invalid_utf8)
{
	/* With as many characters as Unicode proposes */
	static const struct {
		const char *text;
		const WCHAR *replaced;
		int units;
	} bad[] = {
		{ "\x80", W("\xfffd"), 1 },
		{ "\xc0\xaf", W("\xfffd\xfffd"), 2 },
		{ "\xc1\xbf", W("\xfffd\xfffd"), 2 },
		{ "\xff\xfe", W("\xfffd\xfffd"), 2 },
		{ "\xc3", W("\xfffd"), 1 },
		{ "\xc3(", W("\xfffd("), 2 },
		{ "\xe2\x82", W("\xfffd"), 1 },
		{ "\xe2\x82x", W("\xfffdx"), 2 },
		{ "\xe0\x80\xaf", W("\xfffd\xfffd\xfffd"), 3 },
		{ "\xed\xa0\x80", W("\xfffd\xfffd\xfffd"), 3 },
		{ "\xf0\x80\x80\x80", W("\xfffd\xfffd\xfffd\xfffd"), 4 },
		{ "\xf0\x9f\x99", W("\xfffd"), 1 },
		{ "\xf0\x9f\x99\xf0\x9f\x99\x82", W("\xfffd\xd83d\xde42"), 3 },
		{ "\xf4\x90\x80\x80", W("\xfffd\xfffd\xfffd\xfffd"), 4 },
		{ "\xf5\x80", W("\xfffd\xfffd"), 2 },
		{ "a\xf1\x80\x80\xe1\x80\xc2z",
		  W("a\xfffd\xfffd\xfffdz"), 5 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_TRUE(is_refused(bad[i].text)) {
			TH_LOG("text %zu", i);
		}
		EXPECT_TRUE(widens(bad[i].text, bad[i].replaced, bad[i].units)) {
			TH_LOG("text %zu", i);
		}
	}
}

/* Rules: STRING-08, STRING-09. */
TEST(invalid_utf16)
{
	static const struct {
		const WCHAR *text;
		const char *replaced;
	} bad[] = {
		{ W("\xd800"), "\xef\xbf\xbd" },
		{ W("\xdc00"), "\xef\xbf\xbd" },
		{ W("\xd800x"), "\xef\xbf\xbdx" },
		{ W("\xdc00\xd800"), "\xef\xbf\xbd\xef\xbf\xbd" },
		{ W("\xd83d\xd83d\xde42"), "\xef\xbf\xbd\xf0\x9f\x99\x82" },
	};
	char narrow[ROOM];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_FAILS(ERROR_NO_UNICODE_TRANSLATION,
			     NARROW(WC_ERR_INVALID_CHARS, bad[i].text, -1,
				    narrow, ROOM));
		EXPECT_TRUE(narrows(bad[i].text, bad[i].replaced)) {
			TH_LOG("text %zu", i);
		}
	}
}

/* ---- lstrlen() and its kind ---- */

static bool wide_is(const WCHAR *text, const WCHAR *as)
{
	return text && !memcmp(text, as, 2 * (lstrlenW(as) + 1));
}

/* Rules: LSTR-01, LSTR-02, LSTR-03. */
TEST(copies)
{
	WCHAR units[ROOM], *wide = units;
	char bytes[ROOM], *narrow = bytes;

	EXPECT_EQ(0, lstrlenA(NULL));
	EXPECT_EQ(0, lstrlenW(NULL));
	EXPECT_EQ(2, lstrlenA("\xc3\xa9"));
	EXPECT_EQ(3, lstrlenW(W("\xe9\xd83d\xde42")));

	EXPECT_EQ(narrow, lstrcpyA(narrow, "one"));
	EXPECT_EQ(narrow, lstrcatA(narrow, " two"));
	EXPECT_STREQ("one two", narrow);
	EXPECT_EQ(wide, lstrcpyW(wide, W("one")));
	EXPECT_EQ(wide, lstrcatW(wide, W(" two")));
	EXPECT_TRUE(wide_is(wide, W("one two")));

	memset(narrow, 'x', ROOM);
	EXPECT_EQ(narrow, lstrcpynA(narrow, "one two", 4));
	EXPECT_STREQ("one", narrow);
	EXPECT_EQ('x', narrow[4]);
	EXPECT_EQ(narrow, lstrcpynA(narrow, "one two", ROOM));
	EXPECT_STREQ("one two", narrow);
	EXPECT_EQ('x', narrow[8]);
	EXPECT_EQ(narrow, lstrcpynA(narrow, "", 1));
	EXPECT_EQ(0, narrow[0]);
	EXPECT_EQ(narrow, lstrcpynA(narrow, "one", 0));
	EXPECT_EQ(0, narrow[0]);
	EXPECT_EQ(wide, lstrcpynW(wide, W("three"), 4));
	EXPECT_TRUE(wide_is(wide, W("thr")));
	EXPECT_EQ('t', wide[4]);
	EXPECT_EQ(wide, lstrcpynW(wide, W("three"), ROOM));
	EXPECT_TRUE(wide_is(wide, W("three")));

	EXPECT_EQ(NULL, lstrcpyA(narrow, NULL));
	EXPECT_EQ(NULL, lstrcpyA(NULL, "x"));
	EXPECT_EQ(NULL, lstrcatW(wide, NULL));
	EXPECT_EQ(NULL, lstrcatW(NULL, W("x")));
	EXPECT_EQ(NULL, lstrcpynA(NULL, "x", 2));
	EXPECT_EQ(NULL, lstrcpynW(wide, NULL, 2));
	EXPECT_TRUE(wide_is(wide, W("three")));
}

/* Rules: LSTR-04, LSTR-05. In this order, each is less than the next. */
TEST(comparisons)
{
	static const struct {
		const char *narrow;
		const WCHAR *wide;
	} texts[] = {
		{ NULL, NULL },
		{ "", W("") },
		{ "A", W("A") },
		{ "AB", W("AB") },
		{ "a", W("a") },
		{ "\xc3\x89", W("\xc9") },
		{ "\xc3\xa9", W("\xe9") },
		{ "\xef\xbf\xbd", W("\xfffd") },
		{ "\xf0\x9f\x99\x82", W("\xd83d\xde42") },
	};
	int i, j, sign;

	for (i = 0; i < (int)ARRAY_SIZE(texts); i++) {
		for (j = 0; j < (int)ARRAY_SIZE(texts); j++) {
			sign = (i > j) - (i < j);
			EXPECT_EQ(sign, lstrcmpA(texts[i].narrow,
						 texts[j].narrow));
			EXPECT_EQ(sign, lstrcmpW(texts[i].wide,
						 texts[j].wide));
		}
	}
	EXPECT_EQ(0, lstrcmpiA("aZ[`", "Az[`"));
	EXPECT_EQ(0, lstrcmpiW(W("aZ[`"), W("Az[`")));
	EXPECT_EQ(-1, lstrcmpiA("B", "c"));
	EXPECT_EQ(1, lstrcmpiW(W("b"), W("A")));
	EXPECT_EQ(-1, lstrcmpiA("[", "`"));
	EXPECT_EQ(-1, lstrcmpiW(W("\xc9"), W("\xe9")));
	EXPECT_EQ(-1, lstrcmpiA(NULL, ""));
	EXPECT_EQ(1, lstrcmpiW(W(""), NULL));
}

TEST_HARNESS_MAIN
