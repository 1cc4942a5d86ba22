{# The threshold in two passes over few cells at a time: flags first, which the compiler turns into vector code, then the cells that are flagged. #}
{# USES_VARIABLES { N } #}
{% extends 'common_group.cpp' %}

{% block maincode %}
    {% set _eventspace = get_array_name(eventspace_variable) %}
    const int TILE = 64;
    const int _cells = {{constant_or_scalar('N', variables['N'])}};
    int32_t* __restrict const _found = {{_eventspace}};
    char _flags[TILE];
    // scalar code
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}

    int _count = 0, _start = 0;
    for (; _start + TILE <= _cells; _start += TILE)
    {
        for (int _cell = 0; _cell < TILE; _cell++)
        {
            const int _idx = _start + _cell;
            const size_t _vectorisation_idx = _idx;
            {{vector_code|autoindent}}
            _flags[_cell] = _cond;
        }
        for (int _eight = 0; _eight < TILE; _eight += 8)
        {
            uint64_t _word;
            memcpy(&_word, _flags + _eight, 8);
            if (_word)
                for (int _cell = _eight; _cell < _eight + 8; _cell++)
                    if (_flags[_cell])
                        _found[_count++] = _start + _cell;
        }
    }
    for (int _idx = _start; _idx < _cells; _idx++)
    {
        const size_t _vectorisation_idx = _idx;
        {{vector_code|autoindent}}
        if (_cond)
            _found[_count++] = _idx;
    }
    _found[_cells] = _count;
{% endblock %}

{% block after_code %}
    {{get_array_name(eventspace_variable)}}[N] = 0;
{% endblock %}
