{# Says how far the run is, and how many spikes there were. Brian2's own report reads the clock of the system before every object of every step. Stops
   the run of a single network when a guard is exceeded; what was recorded is written as ever.

   `_spikes`: the numbers of spikes so far; `_guards`: of each the array, its length, and the limit. #}
{# USES_VARIABLES { t } #}
{% extends 'common_group.cpp' %}

{% block maincode %}
    // not oftener than anybody looks: each line wakes the program that reads it
    const auto now = std::chrono::steady_clock::now();
    static auto next = now;
    if (now >= next)
    {
        next = now + std::chrono::milliseconds(50);
        const size_t spikes = 0{% for count in _spikes %} + {{count}}[0]{% endfor %};
        std::cout << "progress " << {{get_array_name(variables['t'])}}[0] << " " << spikes << std::endl;
    }
    {% for values, length, limit in _guards %}
    for (int i = 0; i < {{length}}; i++)
        if (!(std::abs({{values}}[i]) <= {{limit}}[0]) && !Network::_globally_stopped)
        {
            std::cout << "diverged" << std::endl;
            Network::_globally_stopped = true;
        }
    {% endfor %}
{% endblock %}
