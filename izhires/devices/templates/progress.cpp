{# Says how far the run is, and how many spikes there were. Brian2's own report reads the clock of the system before every object of every step. Stops
   the run of a single network when a prediction has diverged; what was recorded is written as ever. #}
{# USES_VARIABLES { t, N, z, largest_prediction } #}
{% extends 'common_group.cpp' %}

{% block maincode %}
    // not oftener than anybody looks: each line wakes the program that reads it
    const auto now = std::chrono::steady_clock::now();
    static auto next = now;
    if (now >= next)
    {
        next = now + std::chrono::milliseconds(50);
        std::cout << "progress " << {{get_array_name(variables['t'])}}[0] << " " << _array_spikes_N[0] << std::endl;
    }
{% if _alone %}
    const double* const z = {{get_array_name(variables['z'])}};
    const double largest = {{get_array_name(variables['largest_prediction'])}}[0];
    for (int i = 0; i < {{constant_or_scalar('N', variables['N'])}}; i++)
        if (!(std::abs(z[i]) <= largest) && !Network::_globally_stopped)
        {
            std::cout << "diverged" << std::endl;
            Network::_globally_stopped = true;
        }
{% endif %}
{% endblock %}
