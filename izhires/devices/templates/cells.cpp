{# One step of the cells: a Gaussian number for each, the equations, and who is beyond the threshold; TILE cells at a time, which stay in the
   nearest cache, with the noise that takes the place of Brian2's xi.

   Noise: xoshiro128+ (Blackman & Vigna 2021, doi 10.1145/3460772) in LANES parallel lanes, seeded by splitmix64, and Box & Muller (1958,
   doi 10.1214/aoms/1177706645) with polynomials for the logarithm and the sine and cosine over an eighth of the circle.
   Plain loops without branches: the compiler turns them into vector code. #}
{# USES_VARIABLES { N } #}
{% extends 'common_group.cpp' %}

{% block maincode %}
#if defined(__clang__)
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif
    {% set _eventspace = get_array_name(eventspace_variable) %}
    {% set _noise = 'gaussian' in variables %}
    {# of the equations; in single precision the step is a single number too, or every term with it would be a double one #}
    {% set _real = c_data_type(variables['gaussian'].dtype) if _noise else 'double' %}
    const int _LANES = 256, _TILE = 2*_LANES;
    const int _cells = {{constant_or_scalar('N', variables['N'])}};
    int32_t* const _found = {{_eventspace}};
    {% if _noise %}
    static uint32_t _s0[_LANES], _s1[_LANES], _s2[_LANES], _s3[_LANES], _magnitude[_LANES], _angle[_LANES];
    static float _gaussian[_TILE];
    static bool _seeded = false;
    if (!_seeded)
    {
        uint64_t x = (uint64_t) {{get_array_name(variables['noise_seed'])}}[0];
        uint32_t* const words[4] = {_s0, _s1, _s2, _s3};
        for (int w = 0; w < 4; w++)
            for (int lane = 0; lane < _LANES; lane++)
            {
                uint64_t y = (x += 0x9e3779b97f4a7c15ull);
                y = (y ^ (y >> 30))*0xbf58476d1ce4e5b9ull;
                y = (y ^ (y >> 27))*0x94d049bb133111ebull;
                words[w][lane] = (uint32_t)((y ^ (y >> 31)) >> 32);
            }
        _seeded = true;
    }
    {% endif %}
    // scalar code
    const size_t _vectorisation_idx = -1;
    {{scalar_code['update']|autoindent|replace('const double dt = ', 'const ' ~ _real ~ ' dt = ')}}

    int _count = 0;
    for (int _start = 0; _start < _cells; _start += _TILE)
    {
        const int _stop = _start + _TILE < _cells ? _start + _TILE : _cells;
        {% if _noise %}
        for (int lane = 0; lane < _LANES; lane++)
        {
            uint32_t a = _s0[lane], b = _s1[lane], c = _s2[lane], d = _s3[lane], shifted;
            _magnitude[lane] = a + d;
            shifted = b << 9; c ^= a; d ^= b; b ^= c; a ^= d; c ^= shifted; d = (d << 11) | (d >> 21);
            _angle[lane] = a + d;
            shifted = b << 9; c ^= a; d ^= b; b ^= c; a ^= d; c ^= shifted; d = (d << 11) | (d >> 21);
            _s0[lane] = a; _s1[lane] = b; _s2[lane] = c; _s3[lane] = d;
        }
        for (int lane = 0; lane < _LANES; lane++)
        {
            // log(u) for u in (0, 1): exponent, and a polynomial (Cephes logf) of the mantissa in [0.75, 1.5)
            const float u = (float)(int32_t)(_magnitude[lane] >> 8)*5.9604645e-8f + 2.9802322e-8f;
            int32_t bits;
            memcpy(&bits, &u, 4);
            const int32_t exponent = (bits - 0x3f400000) >> 23;
            bits -= exponent << 23;
            float m;
            memcpy(&m, &bits, 4);
            const float f = m - 1.0f;
            float p = 7.0376836292e-2f;
            p = p*f - 1.1514610310e-1f; p = p*f + 1.1676998740e-1f; p = p*f - 1.2420140846e-1f;
            p = p*f + 1.4249322787e-1f; p = p*f - 1.6668057665e-1f; p = p*f + 2.0000714765e-1f;
            p = p*f - 2.4999993993e-1f; p = p*f + 3.3333331174e-1f;
            const float logarithm = p*f*f*f - 0.5f*f*f + f + (float)exponent*0.69314718056f;
            const float square = -2.0f*logarithm;
            float radius = std::sqrt(square > 1e-12f ? square : 1e-12f);
            // 30 bits: an angle in [-pi/4, pi/4); the two left: which of sine and cosine, and the sign
            const float t = (float)(int32_t)(_angle[lane] << 2)*3.6572952e-10f;
            const float t2 = t*t;
            const float sine = ((-1.9515295891e-4f*t2 + 8.3321608736e-3f)*t2 - 1.6666654611e-1f)*t2*t + t;
            const float cosine = ((2.443315711809948e-5f*t2 - 1.388731625493765e-3f)*t2 + 4.166664568298827e-2f)*t2*t2
                                 - 0.5f*t2 + 1.0f;
            const bool swap = _angle[lane] & (1u << 30);
            radius = (_angle[lane] >> 31) ? -radius : radius;
            _gaussian[lane] = radius*(swap ? sine : cosine);
            _gaussian[_LANES + lane] = radius*(swap ? cosine : sine);
        }
        // takes the place of the array of numbers
        const struct { const float* numbers; int start; {{_real}} operator[](int idx) const { return numbers[idx - start]; } }
            {{get_array_name(variables['gaussian'])}} = {_gaussian, _start};
        {% endif %}
        INDEPENDENT
        for (int _idx = _start; _idx < _stop; _idx++)
        {
            const size_t _vectorisation_idx = _idx;
            {{vector_code['update']|autoindent}}
        }
        // flags first, then the cells that are flagged
        {
            {{scalar_code['condition']|autoindent}}
            int _first = _start;
            for (; _first + 64 <= _stop; _first += 64)
            {
                char _flags[64];
                for (int _cell = 0; _cell < 64; _cell++)
                {
                    const int _idx = _first + _cell;
                    const size_t _vectorisation_idx = _idx;
                    {{vector_code['condition']|autoindent}}
                    _flags[_cell] = _cond;
                }
                uint64_t _words[8], _marks = 0;
                memcpy(_words, _flags, 64);
                // eight bytes, each 0 or 1, become eight bits, that of the first cell the lowest
                if (_words[0] | _words[1] | _words[2] | _words[3] | _words[4] | _words[5] | _words[6] | _words[7])
                    for (int _word = 0; _word < 8; _word++)
                        _marks |= (_words[_word]*0x0102040810204080ull >> 56) << 8*_word;
                for (; _marks; _marks &= _marks - 1)
                    _found[_count++] = _first + __builtin_ctzll(_marks);
            }
            for (int _idx = _first; _idx < _stop; _idx++)
            {
                const size_t _vectorisation_idx = _idx;
                {{vector_code['condition']|autoindent}}
                if (_cond)
                    _found[_count++] = _idx;
            }
        }
    }
    _found[_cells] = _count;
{% endblock %}

{% block after_code %}
    {{get_array_name(eventspace_variable)}}[N] = 0;
{% endblock %}
