{# Recursive least squares: gain = P s, and P -= weight*gain*gain'/(1 + weight*s'gain), for the selected one of several matrices P.

   P is symmetric: only its lower triangle is read and written. Each update is kept aside as its vector, taken into account by reading, and applied
   together with others once PENDING of them are there, so that most steps only read P. Four rows at a time: each number of s and gain that is loaded
   serves four rows. #}
{# USES_VARIABLES { P, s_pre, gain_post, weight_pre, selected_pre, resetting_pre, penalty } #}
{% extends 'common_group.cpp' %}

{% block maincode %}
    const int CELLS = {{_cells}}, PENDING = 32;
    static std::vector<double> vectors[{{_matrices}}];
    static double factors[{{_matrices}}][PENDING];
    static int pending[{{_matrices}}];
    double* __restrict const all = {{get_array_name(variables['P'])}};
    const double* __restrict const s = {{get_array_name(variables['s_pre'])}};
    double* __restrict const gain = {{get_array_name(variables['gain_post'])}};
    const double weight = {{get_array_name(variables['weight_pre'])}}[0];
    if ({{get_array_name(variables['resetting_pre'])}}[0] > 0.5)
    {
        const double start = 1/{{get_array_name(variables['penalty'])}}[0];
        for (int m = 0; m < {{_matrices}}; m++)
        {
            double* const P = all + (size_t)m*CELLS*CELLS;
            std::fill(P, P + (size_t)CELLS*CELLS, 0.0);
            for (int i = 0; i < CELLS; i++)
                P[(size_t)i*CELLS + i] = start;
            vectors[m].assign((size_t)PENDING*CELLS, 0.0);
            pending[m] = 0;
        }
    }
    if (weight > 0)
    {
        const int m = (int)({{get_array_name(variables['selected_pre'])}}[0] + 0.5);
        double* const P = all + (size_t)m*CELLS*CELLS;
        double* const kept = vectors[m].data();
        std::fill(gain, gain + CELLS, 0.0);
        int i = 0;
        for (; i + 4 <= CELLS; i += 4)
        {
            const double* __restrict const p0 = P + (size_t)i*CELLS;
            const double* __restrict const p1 = p0 + CELLS;
            const double* __restrict const p2 = p1 + CELLS;
            const double* __restrict const p3 = p2 + CELLS;
            const double s0 = s[i], s1 = s[i + 1], s2 = s[i + 2], s3 = s[i + 3];
            const int LANES = 8;
            double a0[LANES] = {0}, a1[LANES] = {0}, a2[LANES] = {0}, a3[LANES] = {0};
            int j = 0;
            for (; j + LANES <= i; j += LANES)
                for (int l = 0; l < LANES; l++)
                {
                    const double x0 = p0[j + l], x1 = p1[j + l], x2 = p2[j + l], x3 = p3[j + l], sj = s[j + l];
                    a0[l] += x0*sj; a1[l] += x1*sj; a2[l] += x2*sj; a3[l] += x3*sj;
                    gain[j + l] += x0*s0 + x1*s1 + x2*s2 + x3*s3;
                }
            double total[4] = {0};
            for (int l = 0; l < LANES; l++)
            {
                total[0] += a0[l]; total[1] += a1[l]; total[2] += a2[l]; total[3] += a3[l];
            }
            for (int row = i; row < i + 4; row++)
            {
                const double* const p = P + (size_t)row*CELLS;
                double sum = total[row - i] + p[row]*s[row];
                for (int column = j; column < row; column++)
                {
                    sum += p[column]*s[column];
                    // what the loop above has done for columns before j
                    gain[column] += p[column]*s[row];
                }
                gain[row] += sum;
            }
        }
        for (; i < CELLS; i++)
        {
            const double* const p = P + (size_t)i*CELLS;
            double sum = p[i]*s[i];
            for (int j = 0; j < i; j++)
            {
                sum += p[j]*s[j];
                gain[j] += p[j]*s[i];
            }
            gain[i] += sum;
        }
        for (int b = 0; b < pending[m]; b++)
        {
            const double* __restrict const k = kept + (size_t)b*CELLS;
            const int LANES = 8;
            double part[LANES] = {0}, sum = 0;
            int j = 0;
            for (; j + LANES <= CELLS; j += LANES)
                for (int l = 0; l < LANES; l++)
                    part[l] += k[j + l]*s[j + l];
            for (; j < CELLS; j++)
                sum += k[j]*s[j];
            for (int l = 0; l < LANES; l++)
                sum += part[l];
            sum *= factors[m][b];
            for (j = 0; j < CELLS; j++)
                gain[j] -= sum*k[j];
        }
        double projected = 0;
        for (int j = 0; j < CELLS; j++)
            projected += s[j]*gain[j];
        std::copy(gain, gain + CELLS, kept + (size_t)pending[m]*CELLS);
        factors[m][pending[m]++] = weight/(1 + weight*projected);
        if (pending[m] == PENDING)
        {
            for (int row = 0; row < CELLS; row++)
            {
                double* __restrict const p = P + (size_t)row*CELLS;
                for (int b = 0; b < PENDING; b += 4)
                {
                    const double* __restrict const k0 = kept + (size_t)b*CELLS;
                    const double* __restrict const k1 = k0 + CELLS;
                    const double* __restrict const k2 = k1 + CELLS;
                    const double* __restrict const k3 = k2 + CELLS;
                    const double q0 = factors[m][b]*k0[row], q1 = factors[m][b + 1]*k1[row];
                    const double q2 = factors[m][b + 2]*k2[row], q3 = factors[m][b + 3]*k3[row];
                    for (int j = 0; j <= row; j++)
                        p[j] -= q0*k0[j] + q1*k1[j] + q2*k2[j] + q3*k3[j];
                }
            }
            pending[m] = 0;
        }
    }
{% endblock %}
