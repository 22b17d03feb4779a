using Mesh.Resources.Types;

namespace Mesh.Resources.Compiling;

/// <summary>Resolves a container port's name over the pods of a pool.</summary>
internal static class NamedPort
{
    /// <summary>The number that the name has on every pod that has it; null where no pod has it or two differ.</summary>
    public static int? Resolve(PoolDraft pool, string name)
    {
        var numbers = Numbers(pool, name);
        return numbers.Count == 1 ? numbers[0] : null;
    }

    /// <summary>All numbers that the name has, ascending.</summary>
    public static List<int> Numbers(PoolDraft pool, string name) =>
        [
            .. pool.Endpoints.Select(e => e.Owner).OfType<Pod>().Distinct()
                .Where(p => p.NamedPorts.ContainsKey(name)).Select(p => p.NamedPorts[name])
                .Distinct().Order(),
        ];
}
