import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.Node;

/**
 * Runs one Elasticsearch node until the process is ended. Arguments: the home folder, then settings
 * as NAME=VALUE. The program of the server itself wants files that its archive has and its jars have
 * not. What loads plugins differs between versions, hence the reflection.
 */
public class ElasticsearchNode {
    public static void main(String[] arguments) throws Exception {
        LogConfigurator.configureESLogging();
        Path home = Path.of(arguments[0]);
        Settings.Builder settings = Settings.builder().put("path.home", home.toString());
        for (int each = 1; each < arguments.length; each++) {
            String[] parts = arguments[each].split("=", 2);
            settings.put(parts[0], parts[1]);
        }
        Environment environment = new Environment(settings.build(), home.resolve("config"));
        Node node = node(environment, home.resolve("modules"));
        node.start();
        Thread.currentThread().join();
    }

    private static Node node(Environment environment, Path modules) throws Exception {
        Class<?> loader;
        try {
            loader = Class.forName("org.elasticsearch.plugins.PluginsLoader");
        } catch (ClassNotFoundException older) {
            return Node.class.getConstructor(Environment.class).newInstance(environment);
        }
        Object bundles = null;
        for (Method method : loader.getMethods()) {
            if (method.getName().equals("loadModulesBundles")) {
                bundles = method.getParameterCount() == 1
                    ? method.invoke(null, modules)
                    : method.invoke(null, modules, true);
            }
        }
        Object plugins = loader.getMethod("createPluginsLoader", Set.class, Set.class, Map.class,
            boolean.class).invoke(null, bundles, Set.of(), Map.of(), false);
        try {
            return Node.class.getConstructor(Environment.class, loader)
                .newInstance(environment, plugins);
        } catch (InvocationTargetException error) {
            throw (Exception) error.getCause();
        }
    }
}
