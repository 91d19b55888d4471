"""The Korean texts of problem documents.

`TITLES` and `DETAILS` are by error code, `ISSUES` by the code of one wrong
place; whole sentences are in `sentences_ko`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["DETAILS", "ISSUES", "TITLES", "WORDS"]

TITLES: Mapping[str, str] = {
    "already_submitted": "이미 제출됨",
    "ambiguous_credentials": "모호한 인증 정보",
    "conflict": "충돌",
    "csrf_failed": "만료된 양식",
    "duplicate_task": "중복된 task",
    "forbidden": "권한 없음",
    "free_requests_exhausted": "무료 요청 소진",
    "idempotency_in_progress": "처리 중",
    "idempotency_key_reused": "재사용된 멱등성 키",
    "internal_error": "내부 오류",
    "invalid_body": "잘못된 본문",
    "invalid_cursor": "잘못된 커서",
    "invalid_idempotency_key": "잘못된 멱등성 키",
    "invalid_json": "잘못된 JSON",
    "invalid_parameter": "잘못된 파라미터",
    "lease_lost": "만료된 할당",
    "method_not_allowed": "허용되지 않는 메서드",
    "not_acceptable": "제공할 수 없는 형식",
    "not_found": "찾을 수 없음",
    "payload_too_large": "너무 큰 본문",
    "plugin_failed": "플러그인 실패",
    "plugin_invalid": "잘못된 플러그인",
    "rate_limited": "너무 많은 요청",
    "schema_invalid": "잘못된 스키마",
    "setting_invalid": "잘못된 설정",
    "task_type_unavailable": "사용할 수 없는 task 종류",
    "too_many_assignments": "너무 많은 할당",
    "unauthenticated": "인증 필요",
    "unavailable": "일시적으로 사용 불가",
    "unknown_parameter": "알 수 없는 파라미터",
    "unknown_task_type": "알 수 없는 task 종류",
    "unsafe_url": "안전하지 않은 URL",
    "unsupported_media_type": "지원하지 않는 형식",
    "uri_too_long": "너무 긴 주소",
    "validation_failed": "검증 실패",
    "wrong_state": "허용되지 않는 상태",
}

# Of several texts, the first whose values the error has is taken.
DETAILS: Mapping[str, Sequence[str]] = {
    "already_submitted": ("이 할당에는 이미 다른 답이 접수되었습니다.",),
    "ambiguous_credentials": (
        "키가 여러 곳({places})에 있습니다. 한 곳에만 넣어 주세요.",
        "키가 여러 곳에 있습니다. 한 곳에만 넣어 주세요.",
    ),
    "conflict": ("현재 상태에서는 할 수 없는 요청입니다.",),
    "csrf_failed": ("양식이 너무 오래되었습니다. 페이지를 새로고침한 뒤 다시 보내 주세요.",),
    "duplicate_task": (
        "같은 unique_id를 가진 task {external_id}가 이미 있습니다.",
        "같은 unique_id를 가진 task가 이미 있습니다.",
    ),
    "forbidden": ("이 키로는 할 수 없는 요청입니다.",),
    "free_requests_exhausted": (
        "무료 요청 {free_requests}개를 모두 사용했고, 이 task의 가격은 {price}, 남은 크레딧은 {credit}입니다. "
        "크레딧을 충전하거나 운영자에게 한도 해제를 요청해 주세요.",
        "무료 요청을 모두 사용했습니다. 크레딧을 충전하거나 운영자에게 한도 해제를 요청해 주세요.",
    ),
    "idempotency_in_progress": ("이 멱등성 키의 첫 요청이 아직 처리 중입니다. 1초 뒤에 다시 시도해 주세요.",),
    "idempotency_key_reused": ("이 멱등성 키는 다른 요청에 사용되었습니다. 새 키를 사용해 주세요.",),
    "internal_error": ("서버에 문제가 생겼습니다. 운영자에게 이 요청의 request_id를 알려 주세요.",),
    "invalid_body": ("본문이 이 주소에서 받는 형식이 아닙니다.",),
    "invalid_cursor": ("이 커서는 이 목록의 것이 아닙니다. 커서 없이 처음부터 다시 시작해 주세요.",),
    "invalid_idempotency_key": ("Idempotency-Key는 보이는 ASCII 문자 1~255개로 한 번만 보내 주세요.",),
    "invalid_json": ("본문이 올바른 JSON이 아닙니다.",),
    "invalid_parameter": ("파라미터가 올바르지 않습니다.",),
    "lease_lost": ("이 할당은 끝났습니다. 새로 할당을 받아 주세요.",),
    "method_not_allowed": (
        "이 주소에서 사용할 수 있는 메서드는 {allowed}입니다.",
        "이 주소에서는 이 메서드를 사용할 수 없습니다.",
    ),
    "not_acceptable": (
        "응답은 {media_type} 형식인데 Accept 헤더가 이를 거부합니다.",
        "응답은 application/json 형식인데 Accept 헤더가 이를 거부합니다.",
    ),
    "not_found": ("찾으시는 것이 없습니다.",),
    "payload_too_large": ("본문은 최대 {limit}바이트입니다.", "본문이 너무 큽니다."),
    "plugin_failed": ("플러그인이 실패했습니다. 변경된 것은 없습니다.",),
    "plugin_invalid": ("플러그인을 등록할 수 없습니다.",),
    "rate_limited": (
        "이 키의 요청이 너무 많습니다. {retry_after_s}초 뒤에 다시 시도해 주세요.",
        "이 키의 요청이 너무 많습니다. Retry-After 시간 뒤에 다시 시도해 주세요.",
    ),
    "schema_invalid": ("task 종류의 JSON Schema가 규칙을 어깁니다.",),
    "setting_invalid": ("설정을 그대로 사용할 수 없습니다.",),
    "task_type_unavailable": ("이 task 종류의 플러그인을 지금 사용할 수 없습니다.",),
    "too_many_assignments": ("허용된 만큼 할당을 가지고 있습니다. 먼저 하나를 제출하거나 반납해 주세요.",),
    "unauthenticated": ("유효한 키가 필요합니다. Account Dashboard에서 키를 확인해 주세요.",),
    "unavailable": ("서비스를 잠시 사용할 수 없습니다. 같은 멱등성 키로 곧 다시 시도해 주세요.",),
    "unknown_parameter": ("이 주소에는 그런 쿼리 파라미터가 없습니다.",),
    "unknown_task_type": ("그런 task 종류가 없습니다.",),
    "unsafe_url": ("호출할 수 없는 callback 주소입니다.",),
    "unsupported_media_type": ("UTF-8로 된 application/json을 보내 주세요.",),
    "uri_too_long": ("주소는 최대 8 KB입니다.",),
    "validation_failed": ("값이 올바르지 않습니다.",),
    "wrong_state": ("현재 상태에서는 허용되지 않습니다.",),
}

# Said where a plugin's own sentence about a place is not in the catalog; that sentence follows in brackets.
ISSUES: Mapping[str, str] = {
    "ambiguous": "여러 형태에 동시에 맞는 값입니다.",
    "duplicate_item": "중복된 항목입니다.",
    "duplicate_key": "중복된 키입니다.",
    "duplicate_task": "이미 사용된 값입니다.",
    "format": "형식이 올바르지 않습니다.",
    "integer_range": "정수의 범위를 벗어났습니다.",
    "invalid": "올바르지 않은 값입니다.",
    "invalid_text": "올바르지 않은 텍스트입니다.",
    "invalid_time": "올바르지 않은 시각입니다.",
    "invalid_url": "올바르지 않은 URL입니다.",
    "missing_item": "있어야 할 항목이 없습니다.",
    "not_allowed": "허용되지 않는 값입니다.",
    "not_a_multiple": "배수가 아닙니다.",
    "not_in_list": "목록에 없는 값입니다.",
    "out_of_range": "범위를 벗어난 값입니다.",
    "pattern": "형식이 올바르지 않습니다.",
    "required": "필수 값입니다.",
    "too_few_items": "항목이 너무 적습니다.",
    "too_large": "값이 너무 큽니다.",
    "too_long": "값이 너무 깁니다.",
    "too_many_items": "항목이 너무 많습니다.",
    "too_short": "값이 너무 짧습니다.",
    "too_small": "값이 너무 작습니다.",
    "unknown_field": "알 수 없는 필드입니다.",
    "unsafe_url": "호출할 수 없는 주소입니다.",
    "wrong_type": "값의 종류가 올바르지 않습니다.",
}

# What may stand in the place of a value.
WORDS: Mapping[str, str] = {
    "One value is": "값 1개가",
    "a number": "숫자",
    "a whole number": "정수",
    "an array": "배열",
    "an array of texts": "텍스트 배열",
    "an empty text": "빈 텍스트",
    "an object": "객체",
    "text": "텍스트",
    "true or false": "true 또는 false",
}
