using System.Globalization;
using Mesh.Cli.Output;
using Mesh.Core.Config;
using Mesh.Resources.Effective;

namespace Mesh.Cli.Explaining;

/// <summary>An explanation for people.</summary>
internal sealed class ExplanationText(ToolConsole console, string directory, PoolExplanation pool)
{
    public void Write()
    {
        console.WriteLine($"Pool {pool.Pool}{(pool.LocalToCluster is { } local ? $", of cluster {local} alone" : "")}", Palette.Heading);
        var policies = new Columns();
        foreach (var policy in pool.Policies)
            policies.Add(
                $"{policy.Kind} {policy.Name}",
                new Columns.Cell(string.Create(CultureInfo.InvariantCulture, $"{policy.File}:{policy.Line}"), Palette.Dim));
        policies.Write(console, 2);
        if (pool.Policies.IsEmpty) console.WriteLine("  no policy is attached: built-in defaults hold");

        Section("Settings of the whole pool", pool.Settings);
        Section("Flow control: when every backend is at target", pool.FlowControl);
        Section("Scheduling: how the endpoint is chosen", pool.Scheduling);
        if (pool.Backends.IsEmpty) console.WriteLine("\nNo backend: no cluster has a pod for this pool", Palette.Warning);
        foreach (var backend in pool.Backends) WriteBackend(backend);
        WriteFillOrder();
        if (pool.Findings.IsEmpty) return;
        Head("Findings");
        Findings.Write(console, directory, pool.Findings, indent: 2);
    }

    private void WriteBackend(BackendExplanation backend)
    {
        Head($"Backend {backend.Id}");
        var rows = new Columns();
        rows.Add("region", backend.Region);
        rows.Add("endpoints", backend.Endpoints.ToString(CultureInfo.InvariantCulture));
        rows.Add("labels", string.Join(", ", backend.Labels.Select(l => $"{l.Key}: {l.Value}")));
        rows.Add("scope", ScopeText(backend));
        foreach (var setting in backend.Settings) rows.Add(setting.Name, setting.Value, OriginCell(setting.Origin));
        foreach (var target in backend.Targets)
            rows.Add(
                "target", string.Create(CultureInfo.InvariantCulture, $"{target.Measure}: {target.Formula} = {target.Value:0.######}"),
                target.DryRun ? new Columns.Cell("dry run: measured, never used", Palette.Dim) : "");
        if (backend.Targets.IsEmpty)
            rows.Add("target", "none is set: the backend never counts as full, and capacityScalerPercent is its weight");
        rows.Write(console, 2);
    }

    private static string ScopeText(BackendExplanation backend)
    {
        if (backend.Scope is { } scope)
            return string.Create(CultureInfo.InvariantCulture, $"scopes[{scope.Scope}] ({scope.Selector}), {scope.File}:{scope.Line}");
        return backend.ScopesOfPolicy switch
        {
            0 => "the policy has none",
            1 => "the policy's one scope does not match",
            var count => string.Create(CultureInfo.InvariantCulture, $"none of the policy's {count} scopes matches"),
        };
    }

    private void WriteFillOrder()
    {
        Head("Order in which the backends fill");
        foreach (var place in pool.FillOrder)
        {
            console.WriteLine($"  from {place.Region}{(place.Zone is null ? "" : $", zone {place.Zone}")}");
            for (var i = 0; i < place.Tiers.Length; i++)
            {
                var backends = string.Join(" and ", place.Tiers[i].Select(p => PlaceText(p, place.Region)));
                console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"    {i + 1}. {backends}"));
            }
        }

        // Among several other regions only their round-trip times decide, which no manifest tells.
        if (pool.FillOrder.Any(f => OtherRegions(f) > 1))
            console.WriteLine(
                "  Other regions come nearest first, by round-trip times that are measured at run time; without them, as here, by name.",
                Palette.Dim);
    }

    private static int OtherRegions(FillExplanation order) =>
        order.Tiers.SelectMany(t => t).Select(p => p.Region).Where(r => r != order.Region).Distinct().Count();

    private static string PlaceText(FillPlace place, string from)
    {
        var where = place.Region == from ? "own region" : place.Region;
        var preferred = place.Preference == BackendPreference.Preferred ? ", PREFERRED" : "";
        return $"{place.Backend} ({where}{preferred}{(place.Drained ? ", drained: 0%" : "")})";
    }

    private void Section(string title, IReadOnlyCollection<EffectiveSetting> settings)
    {
        Head(title);
        var rows = new Columns();
        foreach (var setting in settings) rows.Add(setting.Name, setting.Value, OriginCell(setting.Origin));
        rows.Write(console, 2);
    }

    private void Head(string title)
    {
        console.WriteLine();
        console.WriteLine(title, Palette.Heading);
    }

    private static Columns.Cell OriginCell(SettingOrigin origin) => new(origin.ToString(), Palette.Dim);
}
