// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Resources of modules: FindResource(), LoadResource() and their kind
 *
 * The handle of a resource is the address of its description in the module, and it
 * is loaded by telling where its data is. The program, and libraries of Linux, have
 * none.
 */
#include <stdlib.h>
#include <string.h>

#include "loaded.h"

/* Longer names are none that anything makes. */
#define MAX_NAME 255

struct key {
	struct wr_pe_name name;
	WCHAR text[MAX_NAME];
};

/* What is looked for: the levels of tables, in their order */
struct wanted {
	struct key type;
	struct key name;
	LANGID language;
};

/* ---- names ---- */

/* Of the letters that such names have */
static WCHAR upper(WCHAR unit)
{
	if (unit == 0xFF)
		return 0x178;
	if ((unit >= 'a' && unit <= 'z') ||
	    (unit >= 0xE0 && unit <= 0xFE && unit != 0xF7))
		return unit - 0x20;

	return unit;
}

/* "#123" is the number. Return: an error, or 0 */
static DWORD read_number(struct key *key)
{
	unsigned int i, number = 0;

	for (i = 1; i < key->name.length; i++) {
		if (key->text[i] < '0' || key->text[i] > '9')
			return ERROR_INVALID_PARAMETER;
		number = 10 * number + key->text[i] - '0';
		if (number > 0xFFFF)
			return ERROR_INVALID_PARAMETER;
	}
	key->name = (struct wr_pe_name){ .number = number };

	return 0;
}

/* The text is there, in @units; below 0 if it is too long, or no text. */
static DWORD finish_key(struct key *key, long units)
{
	long i;

	if (units < 0)
		return ERROR_RESOURCE_NAME_NOT_FOUND;
	key->name.text = (const uint8_t *)key->text;
	key->name.length = units;
	if (units > 1 && key->text[0] == '#')
		return read_number(key);
	for (i = 0; i < units; i++)
		key->text[i] = upper(key->text[i]);

	return 0;
}

static DWORD make_key_w(struct key *key, LPCWSTR name)
{
	size_t units;

	key->name = (struct wr_pe_name){ .number = (uintptr_t)name };
	if (IS_INTRESOURCE(name))
		return 0;
	units = wr_wide_length(name);
	if (units > MAX_NAME)
		return finish_key(key, -1);
	memcpy(key->text, name, units * sizeof(*name));

	return finish_key(key, units);
}

static DWORD make_key(struct key *key, LPCSTR name)
{
	long units = 0;

	key->name = (struct wr_pe_name){ .number = (uintptr_t)name };
	if (IS_INTRESOURCE(name))
		return 0;
	if (*name)
		units = wr_to_wide(name, strlen(name), key->text, MAX_NAME,
				   FALSE);

	return finish_key(key, units);
}

/* ---- finding ---- */

static bool find_table(const struct wr_pe *pe, const struct wr_pe_table *table,
		       const struct key *key, struct wr_pe_table *found)
{
	struct wr_pe_entry entry;

	return wr_pe_find_entry(pe, table, &key->name, &entry) &&
	       entry.is_table && wr_pe_table(pe, entry.offset, found);
}

static bool find_language(const struct wr_pe *pe,
			  const struct wr_pe_table *table, LANGID language,
			  struct wr_pe_entry *entry)
{
	const struct wr_pe_name name = { .number = language };

	return wr_pe_find_entry(pe, table, &name, entry) && !entry->is_table;
}

/* That language, or of any country, or none; if none is asked for, any. */
static bool choose_language(const struct wr_pe *pe,
			    const struct wr_pe_table *table, LANGID language,
			    struct wr_pe_entry *entry)
{
	const LANGID english = MAKELANGID(LANG_ENGLISH, SUBLANG_ENGLISH_US);

	if (find_language(pe, table, language, entry) ||
	    find_language(pe, table, PRIMARYLANGID(language), entry) ||
	    find_language(pe, table, LANG_NEUTRAL, entry))
		return true;
	if (PRIMARYLANGID(language) != LANG_NEUTRAL)
		return false;

	return find_language(pe, table, english, entry) ||
	       (wr_pe_entry(pe, table, 0, entry) && !entry->is_table);
}

/* The table of all types, or of names, or of languages. Return: an error, or 0 */
static DWORD find_types(HMODULE module, struct wr_pe *pe,
			struct wr_pe_table *types)
{
	const uint8_t *base;

	if (!wr_loaded_pe(module, pe, &base) || !wr_pe_table(pe, 0, types))
		return ERROR_RESOURCE_DATA_NOT_FOUND;

	return 0;
}

static DWORD find_names(HMODULE module, const struct key *type,
			struct wr_pe *pe, struct wr_pe_table *names)
{
	struct wr_pe_table types;
	DWORD error = find_types(module, pe, &types);

	if (!error && !find_table(pe, &types, type, names))
		error = ERROR_RESOURCE_TYPE_NOT_FOUND;

	return error;
}

static DWORD find_languages(HMODULE module, const struct wanted *wanted,
			    struct wr_pe *pe, struct wr_pe_table *languages)
{
	struct wr_pe_table names;
	DWORD error = find_names(module, &wanted->type, pe, &names);

	if (!error && !find_table(pe, &names, &wanted->name, languages))
		error = ERROR_RESOURCE_NAME_NOT_FOUND;

	return error;
}

static HRSRC find(HMODULE module, const struct wanted *wanted, DWORD error)
{
	struct wr_pe_table languages;
	struct wr_pe_entry entry;
	struct wr_pe_data data;
	const uint8_t *place;
	struct wr_pe pe;

	if (!error)
		error = find_languages(module, wanted, &pe, &languages);
	if (!error &&
	    !choose_language(&pe, &languages, wanted->language, &entry))
		error = ERROR_RESOURCE_LANG_NOT_FOUND;
	if (!error && !wr_pe_data(&pe, entry.offset, &place, &data))
		error = ERROR_RESOURCE_DATA_NOT_FOUND;
	if (!error)
		return (HRSRC)(uintptr_t)place;
	wr_fail(error);

	return NULL;
}

HRSRC WINAPI FindResourceExA(HMODULE module, LPCSTR type, LPCSTR name,
			     WORD language)
{
	struct wanted wanted = { .language = language };
	DWORD error = make_key(&wanted.type, type);

	if (!error)
		error = make_key(&wanted.name, name);

	return find(module, &wanted, error);
}

HRSRC WINAPI FindResourceExW(HMODULE module, LPCWSTR type, LPCWSTR name,
			     WORD language)
{
	struct wanted wanted = { .language = language };
	DWORD error = make_key_w(&wanted.type, type);

	if (!error)
		error = make_key_w(&wanted.name, name);

	return find(module, &wanted, error);
}

HRSRC WINAPI FindResourceA(HMODULE module, LPCSTR name, LPCSTR type)
{
	return FindResourceExA(module, type, name, LANG_NEUTRAL);
}

HRSRC WINAPI FindResourceW(HMODULE module, LPCWSTR name, LPCWSTR type)
{
	return FindResourceExW(module, type, name, LANG_NEUTRAL);
}

/* ---- data ---- */

/* What the description says that a handle leads to. NULL: it leads nowhere. */
static const uint8_t *find_data(HMODULE module, HRSRC resource, DWORD *size)
{
	struct wr_pe_directory all;
	struct wr_pe_data data;
	const uint8_t *at, *first, *place, *base;
	struct wr_pe pe;

	if (!wr_loaded_pe(module, &pe, &base))
		return NULL;
	all = wr_pe_directory(&pe, WR_PE_RESOURCES);
	first = all.size ? wr_pe_at(&pe, all.address, 1) : NULL;
	at = (const uint8_t *)resource;
	if (!first || at < first || (uint64_t)(at - first) > UINT32_MAX ||
	    !wr_pe_data(&pe, at - first, &place, &data) || place != at)
		return NULL;
	*size = data.size;
	at = wr_pe_at(&pe, data.address, data.size);

	return at && pe.laid_out ? base + data.address : at;
}

HGLOBAL WINAPI LoadResource(HMODULE module, HRSRC resource)
{
	const uint8_t *at;
	DWORD size;

	at = find_data(module, resource, &size);
	if (!at)
		wr_fail(ERROR_INVALID_PARAMETER);

	return (HGLOBAL)(uintptr_t)at;
}

DWORD WINAPI SizeofResource(HMODULE module, HRSRC resource)
{
	DWORD size;

	if (!find_data(module, resource, &size))
		return wr_fail(ERROR_INVALID_PARAMETER);

	return size;
}

LPVOID WINAPI LockResource(HGLOBAL data)
{
	return data;
}

/* It goes with its module. */
BOOL WINAPI FreeResource(HGLOBAL data)
{
	(void)data;

	return FALSE;
}

/* ---- enumerating ---- */

/* Of one of the two kinds of text */
union callback {
	ENUMRESTYPEPROCA type;
	ENUMRESTYPEPROCW type_w;
	ENUMRESNAMEPROCA name;
	ENUMRESNAMEPROCW name_w;
};

struct enumeration {
	HMODULE module;
	/* As it was passed; of the kind of @wide; NULL: types are told */
	const void *type;
	bool names;
	bool wide;
	union callback callback;
	LONG_PTR param;
};

static BOOL tell(const struct enumeration *enumeration, void *name)
{
	const union callback *callback = &enumeration->callback;
	HMODULE module = enumeration->module;
	LONG_PTR param = enumeration->param;

	if (!enumeration->names)
		return enumeration->wide ?
			       callback->type_w(module, name, param) :
			       callback->type(module, name, param);

	return enumeration->wide ?
		       callback->name_w(module, enumeration->type, name,
					param) :
		       callback->name(module, enumeration->type, name, param);
}

/* In UTF-8 a unit needs no more than 3 bytes. */
static void *make_text(const struct wr_pe_name *name, bool wide)
{
	WCHAR *text = calloc(name->length + 1UL, sizeof(*text));
	char *narrow;
	long n = 0;

	if (!text)
		return NULL;
	memcpy(text, name->text, name->length * sizeof(*text));
	if (wide)
		return text;
	narrow = malloc(3UL * name->length + 1);
	if (narrow && name->length)
		n = wr_to_utf8(text, name->length, narrow, 3UL * name->length,
			       FALSE);
	if (narrow)
		narrow[n < 0 ? 0 : n] = '\0';
	free(text);

	return narrow;
}

/* Return: an error, or 0 to go on */
static DWORD tell_entry(const struct enumeration *enumeration,
			const struct wr_pe_name *name)
{
	void *text = (void *)(uintptr_t)name->number;
	BOOL goes_on;

	if (name->text)
		text = make_text(name, enumeration->wide);
	if (name->text && !text)
		return ERROR_NOT_ENOUGH_MEMORY;
	goes_on = tell(enumeration, text);
	if (name->text)
		free(text);

	return goes_on ? 0 : ERROR_RESOURCE_ENUM_USER_STOP;
}

static BOOL enumerate(const struct enumeration *enumeration,
		      const struct wr_pe *pe, const struct wr_pe_table *table,
		      DWORD error)
{
	struct wr_pe_entry entry;
	uint32_t i;

	for (i = 0; !error && i < table->nr_entries; i++)
		if (wr_pe_entry(pe, table, i, &entry))
			error = tell_entry(enumeration, &entry.name);

	return error ? wr_fail(error) : TRUE;
}

static BOOL enumerate_types(const struct enumeration *enumeration)
{
	struct wr_pe_table table;
	struct wr_pe pe;
	DWORD error = find_types(enumeration->module, &pe, &table);

	return enumerate(enumeration, &pe, &table, error);
}

BOOL WINAPI EnumResourceTypesA(HMODULE module, ENUMRESTYPEPROCA callback,
			       LONG_PTR param)
{
	const struct enumeration enumeration = {
		.module = module,
		.callback.type = callback,
		.param = param,
	};

	return enumerate_types(&enumeration);
}

BOOL WINAPI EnumResourceTypesW(HMODULE module, ENUMRESTYPEPROCW callback,
			       LONG_PTR param)
{
	const struct enumeration enumeration = {
		.module = module,
		.wide = true,
		.callback.type_w = callback,
		.param = param,
	};

	return enumerate_types(&enumeration);
}

static BOOL enumerate_names(const struct enumeration *enumeration,
			    const struct key *type, DWORD error)
{
	struct wr_pe_table table;
	struct wr_pe pe;

	if (!error)
		error = find_names(enumeration->module, type, &pe, &table);

	return enumerate(enumeration, &pe, &table, error);
}

BOOL WINAPI EnumResourceNamesA(HMODULE module, LPCSTR type,
			       ENUMRESNAMEPROCA callback, LONG_PTR param)
{
	const struct enumeration enumeration = {
		.module = module,
		.type = type,
		.names = true,
		.callback.name = callback,
		.param = param,
	};
	struct key key;

	return enumerate_names(&enumeration, &key, make_key(&key, type));
}

BOOL WINAPI EnumResourceNamesW(HMODULE module, LPCWSTR type,
			       ENUMRESNAMEPROCW callback, LONG_PTR param)
{
	const struct enumeration enumeration = {
		.module = module,
		.type = type,
		.names = true,
		.wide = true,
		.callback.name_w = callback,
		.param = param,
	};
	struct key key;

	return enumerate_names(&enumeration, &key, make_key_w(&key, type));
}

/* The languages of one resource: numbers only */
static DWORD next_language(const struct wr_pe *pe,
			   const struct wr_pe_table *table, uint32_t *i,
			   LANGID *language)
{
	struct wr_pe_entry entry;

	for (; *i < table->nr_entries; ++*i) {
		if (!wr_pe_entry(pe, table, *i, &entry) || entry.name.text)
			continue;
		*language = entry.name.number;
		++*i;
		return 0;
	}

	return ERROR_NO_MORE_ITEMS;
}

BOOL WINAPI EnumResourceLanguagesA(HMODULE module, LPCSTR type, LPCSTR name,
				   ENUMRESLANGPROCA callback, LONG_PTR param)
{
	struct wanted wanted = {};
	struct wr_pe_table table;
	DWORD error = make_key(&wanted.type, type);
	LANGID language;
	uint32_t i = 0;
	struct wr_pe pe;

	if (!error)
		error = make_key(&wanted.name, name);
	if (!error)
		error = find_languages(module, &wanted, &pe, &table);
	while (!error && !next_language(&pe, &table, &i, &language))
		if (!callback(module, type, name, language, param))
			error = ERROR_RESOURCE_ENUM_USER_STOP;

	return error ? wr_fail(error) : TRUE;
}

BOOL WINAPI EnumResourceLanguagesW(HMODULE module, LPCWSTR type, LPCWSTR name,
				   ENUMRESLANGPROCW callback, LONG_PTR param)
{
	struct wanted wanted = {};
	struct wr_pe_table table;
	DWORD error = make_key_w(&wanted.type, type);
	LANGID language;
	uint32_t i = 0;
	struct wr_pe pe;

	if (!error)
		error = make_key_w(&wanted.name, name);
	if (!error)
		error = find_languages(module, &wanted, &pe, &table);
	while (!error && !next_language(&pe, &table, &i, &language))
		if (!callback(module, type, name, language, param))
			error = ERROR_RESOURCE_ENUM_USER_STOP;

	return error ? wr_fail(error) : TRUE;
}
