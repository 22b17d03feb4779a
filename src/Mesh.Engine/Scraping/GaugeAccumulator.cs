namespace Mesh.Engine.Scraping;

/// <summary>
/// One gauge over the series of a page: with data parallelism each rank reports its own. Counts add up and shares are averaged. One value
/// that is not a finite number of at least 0 makes the whole unknown: a part of a sum is not the sum.
/// </summary>
internal struct GaugeAccumulator
{
    private double _sum;
    private int _series;
    private bool _broken;

    public void Add(double value)
    {
        if (!double.IsFinite(value) || value < 0)
        {
            _broken = true;
            return;
        }

        _sum += value;
        _series++;
    }

    public void Break() => _broken = true;

    /// <summary>Sum over the series; null when there is none or one is unknown.</summary>
    public readonly double? Sum => _broken || _series == 0 ? null : _sum;

    /// <summary>Mean over the series; null when there is none or one is unknown.</summary>
    public readonly double? Mean => _broken || _series == 0 ? null : _sum / _series;

    /// <summary>A hash that goes on from an earlier one with this gauge.</summary>
    public readonly ulong AddTo(ulong hash)
    {
        hash ^= BitConverter.DoubleToUInt64Bits(_sum) + (uint)_series + (_broken ? 1UL << 40 : 0);
        hash *= 0x9E3779B97F4A7C15;
        return hash ^ (hash >> 29);
    }
}
