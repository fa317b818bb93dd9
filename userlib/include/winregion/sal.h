/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - annotations: words about parameters that say nothing to a compiler
 */
#ifndef _WINREGION_SAL_H
#define _WINREGION_SAL_H

#define _COM_Outptr_
#define _Callback_
#define _Check_return_
#define _Const_
#define _Enum_is_bitflag_
#define _Field_z_
#define _Frees_ptr_
#define _Frees_ptr_opt_
#define _In_
#define _In_opt_
#define _In_opt_z_
#define _In_z_
#define _Inout_
#define _Inout_opt_
#define _Inout_opt_z_
#define _Inout_z_
#define _Interlocked_operand_
#define _Literal_
#define _Maybe_raises_SEH_exception_
#define _Maybenull_
#define _Maybevalid_
#define _Must_inspect_result_
#define _Notliteral_
#define _Notnull_
#define _Notref_
#define _Notvalid_
#define _NullNull_terminated_
#define _Null_
#define _Null_terminated_
#define _Out_
#define _Out_opt_
#define _Outptr_
#define _Outptr_opt_
#define _Outptr_opt_result_maybenull_
#define _Outptr_opt_result_nullonfailure_
#define _Outptr_opt_result_z_
#define _Outptr_result_maybenull_
#define _Outptr_result_nullonfailure_
#define _Outptr_result_z_
#define _Outref_
#define _Outref_result_maybenull_
#define _Points_to_data_
#define _Post_
#define _Post_invalid_
#define _Post_maybenull_
#define _Post_notnull_
#define _Post_null_
#define _Post_ptr_invalid_
#define _Post_valid_
#define _Post_z_
#define _Pre_
#define _Pre_invalid_
#define _Pre_maybenull_
#define _Pre_notnull_
#define _Pre_null_
#define _Pre_opt_valid_
#define _Pre_unknown_
#define _Pre_valid_
#define _Pre_z_
#define _Prepost_valid_
#define _Prepost_z_
#define _Printf_format_string_
#define _Raises_SEH_exception_
#define _Reserved_
#define _Result_nullonfailure_
#define _Ret_
#define _Ret_maybenull_
#define _Ret_maybenull_z_
#define _Ret_notnull_
#define _Ret_null_
#define _Ret_valid_
#define _Ret_z_
#define _Scanf_format_string_
#define _Strict_type_match_
#define _Use_decl_annotations_
#define _Valid_

/* With what they are about in parentheses */
#define _Acquires_exclusive_lock_(what)
#define _Acquires_lock_(what)
#define _Acquires_shared_lock_(what)
#define _Always_(what)
#define _Analysis_assume_(what)
#define _Analysis_assume_nullterminated_(what)
#define _At_(what, how)
#define _Create_lock_level_(what)
#define _Deref_in_range_(what, how)
#define _Deref_out_range_(what, how)
#define _Field_range_(what, how)
#define _Field_size_(what)
#define _Field_size_bytes_(what)
#define _Field_size_bytes_opt_(what)
#define _Field_size_bytes_part_(what, how)
#define _Field_size_full_(what)
#define _Field_size_opt_(what)
#define _Field_size_part_(what, how)
#define _Function_class_(what)
#define _Group_(what)
#define _Guarded_by_(what)
#define _Has_lock_kind_(what)
#define _Has_lock_level_(what)
#define _IRQL_requires_(what)
#define _IRQL_requires_max_(what)
#define _In_bytecount_(what)
#define _In_count_(what)
#define _In_opt_bytecount_(what)
#define _In_opt_count_(what)
#define _In_range_(what, how)
#define _In_reads_(what)
#define _In_reads_bytes_(what)
#define _In_reads_bytes_opt_(what)
#define _In_reads_opt_(what)
#define _In_reads_opt_z_(what)
#define _In_reads_or_z_(what)
#define _In_reads_z_(what)
#define _Inout_updates_(what)
#define _Inout_updates_all_(what)
#define _Inout_updates_all_opt_(what)
#define _Inout_updates_bytes_(what)
#define _Inout_updates_bytes_all_(what)
#define _Inout_updates_bytes_opt_(what)
#define _Inout_updates_bytes_to_(what, how)
#define _Inout_updates_opt_(what)
#define _Inout_updates_opt_z_(what)
#define _Inout_updates_to_(what, how)
#define _Inout_updates_to_opt_(what, how)
#define _Inout_updates_z_(what)
#define _Lock_level_order_(what, how)
#define _On_failure_(what)
#define _Out_bytecap_(what)
#define _Out_bytecap_post_bytecount_(what, how)
#define _Out_cap_(what)
#define _Out_cap_post_count_(what, how)
#define _Out_opt_bytecap_(what)
#define _Out_opt_cap_(what)
#define _Out_range_(what, how)
#define _Out_writes_(what)
#define _Out_writes_all_(what)
#define _Out_writes_all_opt_(what)
#define _Out_writes_bytes_(what)
#define _Out_writes_bytes_all_(what)
#define _Out_writes_bytes_all_opt_(what)
#define _Out_writes_bytes_opt_(what)
#define _Out_writes_bytes_to_(what, how)
#define _Out_writes_bytes_to_opt_(what, how)
#define _Out_writes_opt_(what)
#define _Out_writes_opt_z_(what)
#define _Out_writes_to_(what, how)
#define _Out_writes_to_opt_(what, how)
#define _Out_writes_z_(what)
#define _Out_z_cap_(what)
#define _Outptr_opt_result_buffer_(what)
#define _Outptr_opt_result_bytebuffer_(what)
#define _Outptr_result_buffer_(what)
#define _Outptr_result_buffer_maybenull_(what)
#define _Outptr_result_buffer_to_(what, how)
#define _Outptr_result_bytebuffer_(what)
#define _Outptr_result_bytebuffer_maybenull_(what)
#define _Outptr_result_bytebuffer_to_(what, how)
#define _Post_equal_to_(what)
#define _Post_readable_byte_size_(what)
#define _Post_readable_size_(what)
#define _Post_satisfies_(what)
#define _Post_writable_byte_size_(what)
#define _Post_writable_size_(what)
#define _Pre_readable_byte_size_(what)
#define _Pre_readable_size_(what)
#define _Pre_satisfies_(what)
#define _Pre_writable_byte_size_(what)
#define _Pre_writable_size_(what)
#define _Readable_bytes_(what)
#define _Readable_elements_(what)
#define _Releases_exclusive_lock_(what)
#define _Releases_lock_(what)
#define _Releases_shared_lock_(what)
#define _Requires_exclusive_lock_held_(what)
#define _Requires_lock_held_(what)
#define _Requires_lock_not_held_(what)
#define _Requires_shared_lock_held_(what)
#define _Ret_range_(what, how)
#define _Ret_writes_(what)
#define _Ret_writes_bytes_(what)
#define _Ret_writes_bytes_maybenull_(what)
#define _Ret_writes_bytes_to_(what, how)
#define _Ret_writes_maybenull_(what)
#define _Ret_writes_to_(what, how)
#define _Ret_writes_z_(what)
#define _Return_type_success_(what)
#define _Satisfies_(what)
#define _Struct_size_bytes_(what)
#define _Success_(what)
#define _When_(what, how)
#define _Writable_bytes_(what)
#define _Writable_elements_(what)
#define _Write_guarded_by_(what)

#endif /* _WINREGION_SAL_H */
